"""Job of lsst.verify (SQR-019) as JSON.

A metric is a clause in a band, ``oss_req_0388.AM1_r``. A clause whose value depends on the thresholds of a level has
one metric per level, ``oss_req_0388.AF1_r_design``. The format has no fields for uncertainties and verdicts: verdicts
are notes in the metadata under the name of the metric, intervals are in the blob with the histogram.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from skyaccept.lib.export.keys import unique_keys
from skyaccept.lib.results.model import LevelResult, Result, Results
from skyaccept.lib.results.model import dumps as written
from skyaccept.lib.results.records import interval_ends
from skyaccept.lib.results.sentences import summary
from skyaccept.lib.rounding import Json

UNITS = {"mas": "marcsec", "mas/yr": "marcsec / yr", "percent": "percent", "mmag": "mmag", "": ""}
"""Names of units in verify_metrics, which are those of astropy."""


def dumps(results: Results) -> str:
    """Return results as JSON."""
    return written(convert(results))


def convert(results: Results) -> Json:
    """Return the job of results as plain JSON types."""
    measurements, blobs, metrics, specs = [], [], [], []
    names = unique_keys({whole: _name(*whole) for result in results.results for whole, _ in _metrics(result)})
    meta: Json = {"skyaccept": results.run, "dataset": results.dataset}
    for result in results.results:
        for whole, levels in _metrics(result):
            name = names[whole]
            of = next(iter(levels.values()), None)
            value = result.value if of is None else of.value
            blob = _blob(name, result, of)
            blobs.append(blob)
            measurements.append(
                {
                    "metric": name,
                    "identifier": _identifier(name, value, results.dataset["sha256"]),
                    "value": value,
                    "unit": UNITS.get(result.unit, result.unit),
                    "blob_refs": [blob["identifier"]],
                }
            )
            metrics.append(
                {
                    "name": name,
                    "description": f"{result.title}: {result.text}",
                    "unit": UNITS.get(result.unit, result.unit),
                    "tags": [result.kind, result.metric, result.definition, f"band {result.band}"],
                    "reference": {"doc": result.document, "url": None, "page": None},
                }
            )
            specs += [_spec(name, level, stated, result) for level, stated in levels.items()]
            meta |= {f"{name}.{key}": note for key, note in _notes(result, levels).items()}
    return {"measurements": measurements, "blobs": blobs, "metrics": metrics, "specs": specs, "meta": meta}


def _metrics(result: Result) -> Iterator[tuple[tuple[str, ...], dict[str, LevelResult]]]:
    """Yield the name of each metric of a result, with its levels.

    The name ends in the level, or in "".
    """
    case = (result.requirement, result.clause, result.band, result.test)
    if any(level.parameters for level in result.levels.values()):
        for name, level in result.levels.items():
            yield (*case, name), {name: level}
    else:
        yield (*case, ""), dict(result.levels)


def _name(requirement: str, clause: str, band: str, _: str, level: str) -> str:
    """Return a name with one point, at which lsst.verify splits names."""
    package, metric = (re.sub("[^A-Za-z0-9_]", "_", part) for part in (requirement.lower(), f"{clause}_{band}"))
    return f"{package}.{metric}_{level}" if level else f"{package}.{metric}"


def _spec(name: str, level: str, stated: LevelResult, result: Result) -> Json:
    threshold = {"operator": stated.operator, "unit": UNITS.get(result.unit, result.unit), "value": stated.limit}
    return {
        "name": f"{name}.{level}",
        "type": "threshold",
        "threshold": threshold,
        "tags": [level],
        "metadata_query": {},
    }


def _notes(result: Result, levels: dict[str, LevelResult]) -> Json:
    verdicts = {name: result.verdict if name == result.level else level.verdict for name, level in levels.items()}
    return {"verdict": verdicts or result.verdict, "sentence": summary(result), "test": result.test}


def _blob(name: str, result: Result, level: LevelResult | None) -> Json:
    """Return the blob of a measurement: histogram, estimate, interval, sample size."""
    data: Json = {}

    def add(key: str, value: Any, unit: str, description: str) -> None:
        if value is not None:
            data[key] = {"value": value, "unit": unit, "label": key, "description": description}

    histogram = result.data.get("histogram")
    unit = UNITS.get(result.unit, result.unit)
    if histogram:
        errors = UNITS.get(histogram["unit"], histogram["unit"])
        add("edges", histogram["edges"], errors, f"edges of the bins of {histogram['errors']}")
        add("counts", histogram["counts"], "", "errors in each bin")
    interval = result.interval if level is None else level.interval
    add(
        "unbiased",
        result.value_unbiased if level is None else level.value_unbiased,
        unit,
        "in the limit of many visits",
    )
    if interval is not None:
        for end, bound in zip(("low", "high"), interval_ends(interval), strict=True):
            add(end, bound, unit, f"{end} end of the interval at a confidence of {interval['confidence']}")
    if result.sample is not None:
        for key in ("objects", "visits", "pairs", "measurements"):
            add(key, getattr(result.sample, key), "", f"{key} of the sample")
    return {"identifier": _identifier(name, data), "name": name, "data": data}


def _identifier(*content: object) -> str:
    """Return an identifier that depends only on the content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
