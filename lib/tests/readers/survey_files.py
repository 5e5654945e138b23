"""Files as surveys write them: match files, light curves, LDAC, sources of LSST."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from skyaccept.lib import measure, readers, requirements
from skyaccept.lib.catalog.detections import AssociatedDetections
from skyaccept.lib.exceptions import InputError

BAD_EPOCH = 32768


def load(source: Path, survey: str | Path = "generic") -> Any:
    """Detections of a catalog; which of their columns are there is for the tests to know."""
    return readers.load(source, survey)


def refusal(source: Path, survey: str | Path = "generic") -> str:
    """Message about a catalog that has to be refused."""
    with pytest.raises(InputError) as caught:
        load(source, survey)
    return str(caught.value)


def rng() -> np.random.Generator:
    """Random numbers of a test."""
    return np.random.default_rng(5)


def curves(seed: int = 5) -> dict[str, Any]:
    """Light curves of six stars, of up to five epochs; one has none."""
    draw = np.random.default_rng(seed)
    lengths = [4, 5, 0, 5, 3, 5]
    lists: dict[str, Any] = {name: [] for name in ("hmjd", "mag", "magerr", "clrcoeff", "catflags")}
    for n in lengths:
        epochs = np.sort(draw.permutation(5)[:n])
        lists["hmjd"].append((58000.25 + epochs // 2 + draw.random(n) / 1000).tolist())
        lists["clrcoeff"].append(np.array([-0.1, 0.2, -0.1, 0.3, 0.4])[epochs].tolist())
        lists["mag"].append(draw.normal(15, 0.02, n).tolist())
        lists["magerr"].append(np.full(n, 0.017).tolist())
        lists["catflags"].append([BAD_EPOCH if k == 1 else 0 for k in epochs.tolist()])
    ids = np.arange(len(lengths)) + 250101100000001
    scalars = {"filterid": np.ones(6, "u1"), "rcid": np.full(6, 3, "u1"), "objra": 41 + np.arange(6) / 10}
    return {"objectid": ids, **scalars, "objdec": np.full(6, -26.0), **lists}


def results(detections: AssociatedDetections, definition: str, band: str, **options: Any) -> dict[str, Any]:
    """Results of LSE-30 by the name of the clause."""
    clauses = requirements.load(["LSE-30"])
    return {
        r.clause: r
        for r in measure.run(
            detections, clauses, measure.Options(bands=[band], definition=definition, **options)
        ).results
    }


def ldac(path: Path, chips: int, exposures: tuple[int, ...] = (5, 5)) -> tuple[Path, Table]:
    """Write a FITS_LDAC file of one extension or several, and the table of the first."""
    hdus = [fits.PrimaryHDU()]
    first = Table()
    for chip in range(chips):
        header = fits.Header({"SIMPLE": True, "EXPNUM": exposures[chip], "FILTER": "r", "CCDNUM": chip + 11})
        text = np.array([[card.image for card in header.cards]])
        image = fits.BinTableHDU.from_columns(
            [fits.Column("Field Header Card", f"{text.size * 80}A", array=["".join(text[0])])]
        )
        image.name = "LDAC_IMHEAD"
        table = Table({"ALPHA_J2000": 10 + np.arange(4) / 10 + chip, "DELTA_J2000": np.arange(4) / 7.0})
        table["ALPHA_J2000"].unit = table["DELTA_J2000"].unit = "deg"
        table["MAG_AUTO"], table["FLAGS"] = (
            MaskedColumn([15.0, 99.0, 16.0, 17.0], unit="mag"),
            np.array([0, 4, 8, 1], "i2"),
        )
        objects = fits.BinTableHDU(table)
        objects.name = "LDAC_OBJECTS"
        hdus += [image, objects]
        first = table if not chip else first
    fits.HDUList(hdus).writeto(path)
    return path, first
