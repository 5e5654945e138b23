"""``skyaccept compare``: compare two runs on the same sky, clause by clause."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from skyaccept.fixtures.plugin import OPTIONS

if TYPE_CHECKING:
    from skyaccept.lib.measure.paired import Pairing
    from skyaccept.lib.results.model import Results


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("before", metavar="BEFORE", help="results JSON of a run, or the name of a shipped scenario")
    parser.add_argument("after", metavar="AFTER", help="results JSON of another run on the same sky")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="HTML page to write")
    parser.add_argument(
        "--datasets",
        nargs=2,
        metavar=("BEFORE", "AFTER"),
        help="catalogs of the two runs: measure them again, and pair stars and visits",
    )
    for name, description in (
        ("survey", "survey profile of both catalogs, or one for each (default: as recorded in the runs)"),
        ("visits", "table by visit for columns that the catalogs lack, for both or one for each"),
        ("specs", "requirement document of the runs; may be repeated (default: the shipped ones)"),
    ):
        parser.add_argument(f"--{name}", action="append", default=[], metavar="NAME", help=description)
    for name in ("reference", "reference-survey"):
        parser.add_argument(f"--{name}", metavar="NAME", help=OPTIONS[name]["help"])


def run(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Compare two runs; returns a line for each clause, and writes the page.

    Raises
    ------
    InputError
        A file is not a results JSON, a dataset does not belong to its run, or the page cannot be written.
    """
    from skyaccept.fixtures.dataset import load_baseline
    from skyaccept.lib import atomic_write
    from skyaccept.lib.report import html, text
    from skyaccept.lib.results import comparison

    if options.output is not None:
        atomic_write.check_writable(options.output)
    before, after = load_baseline(options.before), load_baseline(options.after)
    changes = comparison.compare(before, after, pair=_load_pairing(options, before, after))
    if options.output is not None:
        atomic_write.write(options.output, html.comparison_page(before, after, changes))
    lines = [
        f"{change.test}: {text.verdict_text(change.flag)}: {text.difference(change.to_json())}" for change in changes
    ]
    return [*lines, text.count_flags(change.flag for change in changes)], True


def _load_pairing(options: argparse.Namespace, before: Results, after: Results) -> Pairing | None:
    """Read both datasets for their clauses; None without ``--datasets``."""
    from skyaccept.fixtures.dataset import load, load_reference
    from skyaccept.lib import requirements
    from skyaccept.lib.exceptions import InputError
    from skyaccept.lib.measure import paired

    if options.datasets is None:
        for name in ("survey", "visits", "specs", "reference", "reference_survey"):
            if getattr(options, name):
                raise InputError(f"--{name.replace('_', '-')}: needs --datasets BEFORE AFTER")
        return None
    names = {result.document for run in (before, after) for result in run.results}
    unknown = sorted(names - set(requirements.shipped()))
    if unknown and not options.specs:
        raise InputError(f"{unknown[0]} is not a shipped document: name the documents of the runs with --specs")
    specification = requirements.load(options.specs or sorted(names))
    reference = load_reference(options.reference, options.reference_survey, dataset=options.datasets[0])
    surveys, visits = (_values_for_both(options, name) for name in ("survey", "visits"))
    sides = [
        paired.Processing(
            run,
            load(path, survey or run.dataset["survey"], table, columns=paired.columns(run, specification)),
            file,
        )
        for run, path, survey, table, file in zip(
            (before, after), options.datasets, surveys, visits, (options.before, options.after), strict=True
        )
    ]
    return paired.Pairing(sides[0], sides[1], specification, reference)


def _values_for_both(options: argparse.Namespace, name: str) -> Sequence[str | None]:
    """Return the values of an option for the two datasets."""
    from skyaccept.lib.exceptions import InputError

    values: list[str] = getattr(options, name)
    if len(values) > 2:
        raise InputError(f"--{name}: given {len(values)} times; give it once for both datasets, or once for each")
    return values if len(values) == 2 else [values[0] if values else None] * 2
