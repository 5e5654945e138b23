"""Examples of docs/formats.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skyaccept.lib.readers import files
from skyaccept.lib.readers.formats import FORMATS
from skyaccept.lib.tests.readers import survey_files


def examples(language: str) -> list[str]:
    """Examples of the page on formats."""
    page = Path(__file__).parents[3] / "docs" / "formats.md"
    if not page.is_file():
        pytest.skip("docs/formats.md is there in a checkout only")
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def test_the_format_of_the_documentation_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module and a line: then a file is a catalog."""
    module: dict[str, Any] = {}
    exec(examples("python")[0], module)  # noqa: S102  (the project's own page)
    rows = np.zeros(4, [("visit", "<i8"), ("band", "<U1"), ("ra", ">f8"), ("dec", "<f8")])
    rows["visit"], rows["band"], rows["ra"] = [1, 2, 1, 2], "r", [1, 1, 2, 2]
    np.save(tmp_path / "a.npy", rows)
    assert "not a catalog" in survey_files.refusal(tmp_path / "a.npy", units_of(tmp_path))
    monkeypatch.setattr(files, "FORMATS", (module["FORMAT"], *FORMATS))
    assert survey_files.load(tmp_path / "a.npy", units_of(tmp_path)).n_objects == 2
    np.save(tmp_path / "b.npy", np.array([{}], dtype=object))
    assert survey_files.refusal(tmp_path / "b.npy").startswith(f"{tmp_path}/b.npy: the NumPy file")


def units_of(folder: Path) -> Path:
    """A profile that states units."""
    path = folder / "units.yaml"
    columns = "visit: visit, band: band, ra: {name: ra, unit: deg}, dec: {name: dec, unit: deg}"
    path.write_text(f"survey: x\ntitle: x\ncolumns: {{{columns}}}\nassociation_radius: 1 arcsec\n")
    return path


def test_the_survey_of_the_documentation_reads_ldac(tmp_path: Path) -> None:
    """It is a profile as it stands, but for the codes of the bands."""
    profile = tmp_path / "my-camera.yaml"
    (text,) = [text for text in examples("yaml") if text.startswith("survey: my-camera")]
    profile.write_text(text.replace("{gp: g, rp: r}", "{r: r}"))
    d = survey_files.load(survey_files.ldac(tmp_path / "a.cat", 2)[0], profile)
    assert (len(d), d.visits, d.bands) == (8, ("5",), ("r",))
    assert np.isnan(d.mag).tolist() == [False, True, False, False] * 2
