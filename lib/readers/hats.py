"""HATS catalogs: Parquet files by HEALPix pixel, with auxiliary tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from skyaccept.lib.readers.table import shorten

DESCRIPTIONS = ("hats.properties", "properties", "catalog_info.json")
"""Files that identify a HATS catalog; the last is that of its predecessor HiPSCat."""

_COLLECTION = "collection.properties"
_MAX_BYTES = 1024**2
_DATA = ("object", "source", "nested")


@dataclass(frozen=True)
class HatsCatalog:
    """Description of a HATS folder.

    Attributes
    ----------
    name : str
    kind : str
        ``object``, ``source`` or ``nested`` for a catalog; ``margin``, ``index`` ... for auxiliary tables.
    rows : int, optional
    """

    name: str
    kind: str
    rows: int | None = None

    @property
    def holds_rows(self) -> bool:
        """Whether the folder is a catalog, not a margin cache or an index."""
        return self.kind in _DATA


def read_description(folder: Path) -> HatsCatalog | None:
    """Read the description of a HATS folder; None for any other folder."""
    for name in DESCRIPTIONS:
        if (folder / name).is_file():
            properties = _json(folder / name) if name.endswith(".json") else _properties(folder / name)
            kind = properties.get("dataproduct_type") or properties.get("catalog_type")
            if kind:
                rows = properties.get("hats_nrows") or properties.get("total_rows") or ""
                title = properties.get("obs_collection") or properties.get("catalog_name") or folder.name
                return HatsCatalog(shorten(title), shorten(kind), int(rows) if rows.isdecimal() else None)
    return None


def is_collection(folder: Path) -> bool:
    """Return whether a folder holds a HATS collection."""
    return (folder / _COLLECTION).is_file()


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MAX_BYTES).decode(errors="replace")


def _properties(path: Path) -> Mapping[str, str]:
    """Parse ``key = value`` lines."""
    lines = [line for line in _text(path).splitlines() if "=" in line and not line.lstrip().startswith("#")]
    pairs = [line.partition("=") for line in lines]
    return {key.strip(): value.strip() for key, _, value in pairs}


def _json(path: Path) -> Mapping[str, str]:
    try:
        content = json.loads(_text(path))
    except (ValueError, RecursionError):
        return {}
    return {key: str(value) for key, value in content.items()} if isinstance(content, dict) else {}
