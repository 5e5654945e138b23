"""Jobs of lsst.verify."""

from skyaccept.lib.export.lsst_verify import convert
from skyaccept.lib.results.sentences import summary
from skyaccept.lib.tests.results.stored import stored_results

JOB = convert(stored_results())


def test_a_metric_is_a_clause_in_a_band_or_at_a_level() -> None:
    assert [one["metric"] for one in JOB["measurements"]] == [
        "oss_req_0387.PA1gri_r",
        "oss_req_0388.AM1_r",
        "oss_req_0388.AF1_r_design",
        "oss_req_0388.AF1_r_minimum",
        "oss_req_0388.AF1_r_stretch",
    ]


def test_values_and_units_are_those_of_the_results() -> None:
    am1 = JOB["measurements"][1]
    assert (am1["value"], am1["unit"]) == (5.929191890501228, "marcsec")
    spec = next(one for one in JOB["specs"] if one["name"] == "oss_req_0388.AM1_r.design")
    assert spec["threshold"] == {"operator": "<=", "unit": "marcsec", "value": 10.0}


def test_the_blob_holds_histogram_and_interval() -> None:
    result, am1 = stored_results().results[1], JOB["measurements"][1]
    blob = next(one for one in JOB["blobs"] if one["identifier"] == am1["blob_refs"][0])["data"]
    assert blob["counts"]["value"] == result.data["histogram"]["counts"]
    assert result.interval is not None
    assert (blob["low"]["value"], blob["high"]["value"]) == (result.interval["low"], result.interval["high"])
    assert blob["low"]["description"] == "low end of the interval at a confidence of 0.95"


def test_verdicts_and_summaries_are_notes() -> None:
    assert JOB["meta"]["oss_req_0388.AM1_r.verdict"] == {"design": "pass", "minimum": "pass", "stretch": "fail"}
    assert JOB["meta"]["oss_req_0388.AM1_r.sentence"] == summary(stored_results().results[1])
