"""Maps against the residuals that they show."""

from dataclasses import replace

import numpy as np
from skyaccept.lib.report import maps
from skyaccept.lib.tests.results.stored import stored_results

AM1 = stored_results().results[1]
PLACES = stored_results().dataset["focal_plane"]


def test_the_map_of_the_sky_has_a_square_for_each_region() -> None:
    drawn = maps.sky(AM1)
    sizes = AM1.data["dependence"]["sky"]["size"]
    assert drawn.count("z") >= sum(size is not None for size in sizes)
    assert "Median absolute residual on the sky (mas)" in drawn


def test_detectors_are_drawn_at_their_places_or_in_order() -> None:
    assert "degrees from the middle of the field" in maps.focal_plane(AM1, PLACES)
    assert "detectors in order of their numbers" in maps.focal_plane(AM1, {})


def test_there_is_no_map_without_data() -> None:
    bare = replace(AM1, data={})
    assert (maps.sky(bare), maps.focal_plane(bare, PLACES)) == ("", "")


def test_colours_span_at_least_what_noise_fills() -> None:
    edges = maps._edges(np.full(5, 10.0))
    assert (edges[0], edges[-1]) == (8.5, 11.5)
    assert len(edges) == maps.COLORS + 1
