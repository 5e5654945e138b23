"""Line protocol for InfluxDB."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.export import influxdb
from skyaccept.lib.tests.results.stored import stored_results


def test_a_line_is_a_clause_at_a_level_at_the_time_of_the_run() -> None:
    lines = influxdb.lines(stored_results()).splitlines()
    assert len(lines) == 9
    assert {line.rsplit(" ", 1)[1] for line in lines} == {"1796077306"}
    (am1,) = [line for line in lines if "OSS-REQ-0388-AM1-r" in line and "level=design" in line]
    assert "value=5.929191890501228," in am1
    assert 'verdict="pass"' in am1


def test_signs_of_the_protocol_are_escaped() -> None:
    bad = replace(stored_results().results[1], clause="a, b=c\\")
    line = influxdb.lines(replace(stored_results(), results=(bad,))).splitlines()[0]
    assert r"clause=a\,\ b\=c," in line
    assert influxdb._field('a"b\\') == r'"a\"b\\"'
    assert (influxdb._field(True), influxdb._field(3), influxdb._field(0.5)) == ("true", "3i", "0.5")
    with pytest.raises(ValueError, match="nan"):
        influxdb._field(math.nan)


def test_two_lines_of_one_point_are_refused() -> None:
    am1 = stored_results().results[1]
    with pytest.raises(InputError, match="its tags are those of another test"):
        influxdb.lines(replace(stored_results(), results=(am1, am1)))


@pytest.mark.parametrize("url", ["ftp://host", "http://", "http://user:secret@host", "http://host?db=x", "http://h:0"])
def test_an_invalid_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(InputError) as caught:
        influxdb._target(url, "db")
    assert "secret" not in str(caught.value)


def test_the_target_names_database_and_precision() -> None:
    assert influxdb._target("http://host:8086/", "a b") == "http://host:8086/write?db=a+b&precision=s"
