"""lsst.verify packages of our own: a small one with every feature of the format, and large ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SMALL: Mapping[str, str] = {
    "README.rst": "not YAML: [",
    "metrics/README.rst": "not YAML either: [",
    "metrics/survey.yaml": """\
# Metrics of the survey package
AM1: &Repeatability
  description: >
    Scatter of the separations of stars
    about 5 arcmin apart.
  unit: marcsec
  reference: &Where
    doc: LPM-17
    page: 23
    url: https://example.org/lpm-17
  tags: !!set
    ? astrometry
AF1_design:
  <<: *Repeatability
  description: Share of separations beyond AD1.
  unit: '%'
AF1_minimum: {<<: *Repeatability, unit: '%'}
AD1_design: {<<: *Repeatability, unit: milliarcsecond}
AD1_minimum: {<<: *Repeatability, unit: milliarcsecond}
PA1:
  description: Scatter of magnitudes.
  unit: mmag
  reference: *Where
  tags: photometry
AB1: {description: Offset of bands., unit: marcsec, tags: [astrometry, bands]}
TE2: {description: Residual ellipticities., unit: '', reference: {doc: [One, Two]}}
Speed: {description: How fast., unit: '---'}
Idle: {description: Limited by nothing., unit: s}
""",
    "specs/README.rst": "nor this: [",
    "specs/survey/limits.yaml": """\
# Limits for every survey
---
id: 'mas'
threshold:
  unit: 'milliarcsecond'
  operator: "<="
tags:
  - 'pairs'

---
id: 'AM1'
metric: 'survey.AM1'
base: '#mas'
tags:
  - 'AM1'

---
name: 'design'
base: '#AM1'
threshold:
  value: 10.0
tags:
  - 'design'

---
name: 'minimum'
base: ['#AM1']
threshold: {value: 2e-2, unit: arcsec}

---
name: 'AF1_design.srd'
threshold: {operator: '<=', unit: percent, value: 10}
---
name: 'survey.AF1_minimum.srd'
threshold: {operator: '<=', unit: percent, value: 20}
---
name: srd
metric: AD1_design
base: '#mas'
threshold: {value: 20}
---
name: srd
metric: AD1_minimum
base: '#mas'
threshold: {value: 40}
---
name: design_gri
metric: PA1
threshold: {operator: '<=', unit: mmag, value: 5}
---
name: limit
metric: AB1
tags: design
threshold: {operator: '<=', unit: mas, value: 10}
---
name: design
metric: TE2
threshold: {operator: '<=', unit: '', value: 5e-5}
---
name: minimum
metric: TE2
threshold: {operator: '<=', unit: '', value: 3e-5}
---
name: exact
metric: Speed
threshold: {operator: '==', unit: '', value: 1}
""",
    "specs/survey/camera/base.yml": """\
---
id: camera
metadata_query: {instrument: Camera, ccds: [1, 2]}
---
id: camera-g
base: '#camera'
metadata_query: {filter_name: HSC-G, ccds: [3]}
---
id: camera-r
base: '#camera'
metadata_query: {filter_name: r}
""",
    "specs/survey/camera/limits.yaml": """\
name: camera_design_g
base: ['PA1.design_gri', 'camera/base#camera-g']
---
name: camera_design_r
base: ['survey.PA1.design_gri', 'survey:camera/base#camera-r']
threshold: {value: 6}
---
name: FY20
base: AM1.design
threshold: {value: 15}
""",
}
"""Files of the small package by their paths."""


def write(folder: Path, files: Mapping[str, str] = SMALL, **changes: str) -> Path:
    """Write a package, with files of other content or, where that is empty, without them; ``a__b`` is ``a/b``."""
    for name, content in {**files, **{name.replace("__", "/"): text for name, text in changes.items()}}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def one_file(folder: Path, content: str) -> Path:
    """Write a package of the metrics of `SMALL` and one file of specifications, ``specs/survey/file.yaml``."""
    kept = {name: text for name, text in SMALL.items() if not name.startswith("specs")}
    return write(folder, {**kept, "specs/survey/file.yaml": content})


def large(folder: Path, cameras: int = 10, years: int = 12) -> int:
    """Write a package in the manner of the public one; returns the number of its specifications.

    Limits for every survey, for several cameras in each of six bands, and again for each year.
    """
    kinds = [f"Q{number}" for number in range(8)]
    metrics = "".join(
        f"{kind}_{level}:\n  description: >\n    Quantity {kind} at {level}.\n  unit: mmag\n  tags: photometry\n\n"
        for kind in kinds
        for level in ("design", "minimum")
    )
    lines = ["id: 'mmag'\nthreshold:\n  unit: 'mmag'\n  operator: '<='\ntags:\n  - 'chromatic'\n"]
    number = 0
    names = ["srd", *(f"Y{year}" for year in range(years))]
    for kind in kinds:
        for level in ("design", "minimum"):
            for n, name in enumerate(names):
                lines.append(f"metric: {kind}_{level}\nname: {name}\nbase: '#mmag'\nthreshold:\n  value: {n + 1}.5\n")
                number += 1
    files = {"metrics/big.yaml": metrics, "specs/big/limits.yaml": "\n---\n".join(lines)}
    for camera in range(cameras):
        base = [f"id: c\nmetadata_query:\n  instrument: 'C{camera}'\n  visits: [1, 2, 3]\n"]
        base += [f"id: c-{band}\nbase: '#c'\nmetadata_query:\n  filter_name: {band}\n" for band in "ugrizy"]
        here = []
        for kind in kinds[: 2 + camera % 3]:
            for band in "ugrizy":
                for name in names:
                    here.append(
                        f"name: c{camera}_{band}_{name}\nbase: ['{kind}_design.{name}', 'c{camera}/base#c-{band}']\n"
                    )
                    number += 1
        files[f"specs/big/c{camera}/base.yaml"] = "\n---\n".join(base)
        files[f"specs/big/c{camera}/limits.yaml"] = "\n---\n".join(here)
    write(folder, files)
    return number
