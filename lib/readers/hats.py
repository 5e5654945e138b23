"""HATS catalogs: Parquet files by HEALPix pixel, and what stands beside them in their folders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from skyaccept.lib.readers.table import shorten

DESCRIPTIONS = ("hats.properties", "properties", "catalog_info.json")
"""Files that make a folder a HATS catalog; the last one is that of HiPSCat, its forerunner."""

_COLLECTION = "collection.properties"
_MAX_BYTES = 1024**2
_DATA = ("object", "source", "nested")


@dataclass(frozen=True)
class HatsCatalog:
    """What a folder says of itself.

    Attributes
    ----------
    name : str
    kind : str
        ``object``, ``source`` or ``nested``: a catalog; ``margin``, ``index``, ``association`` ...: a table beside one.
    rows : int, optional
    """

    name: str
    kind: str
    rows: int | None = None

    @property
    def holds_rows(self) -> bool:
        """Whether it is a catalog, rather than copies of rows of one, or an index."""
        return self.kind in _DATA


def read_description(folder: Path) -> HatsCatalog | None:
    """Read what makes a folder a HATS catalog; None where nothing does."""
    for name in DESCRIPTIONS:
        if (folder / name).is_file():
            found = _json(folder / name) if name.endswith(".json") else _properties(folder / name)
            kind = found.get("dataproduct_type") or found.get("catalog_type")
            if kind:
                rows = found.get("hats_nrows") or found.get("total_rows") or ""
                title = found.get("obs_collection") or found.get("catalog_name") or folder.name
                return HatsCatalog(shorten(title), shorten(kind), int(rows) if rows.isdecimal() else None)
    return None


def is_collection(folder: Path) -> bool:
    """Whether a folder holds a HATS catalog with its margin caches and indexes."""
    return (folder / _COLLECTION).is_file()


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MAX_BYTES).decode(errors="replace")


def _properties(path: Path) -> Mapping[str, str]:
    """Lines ``key = value`` of a file of properties."""
    lines = [line for line in _text(path).splitlines() if "=" in line and not line.lstrip().startswith("#")]
    pairs = [line.partition("=") for line in lines]
    return {key.strip(): value.strip() for key, _, value in pairs}


def _json(path: Path) -> Mapping[str, str]:
    try:
        found = json.loads(_text(path))
    except (ValueError, RecursionError):
        return {}
    return {key: str(value) for key, value in found.items()} if isinstance(found, dict) else {}
