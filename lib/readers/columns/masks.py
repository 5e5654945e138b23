"""Column masks: ``NAME.mask`` is true in rows without a value in column NAME.

astropy uses these names in all formats; they are applied after the format is read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.columns.flags import as_booleans, missing_rows
from skyaccept.lib.readers.table import LIST_SUFFIX, apply_mask


def find_masks(names: Collection[str]) -> dict[str, str]:
    """Find the columns that have a mask, with the names of the masks."""
    masks: dict[str, str] = {}
    for name in names:
        own = f"{name.removesuffix(LIST_SUFFIX)}.mask"
        mask = next((one for one in (own + LIST_SUFFIX * name.endswith(LIST_SUFFIX), own) if one in names), None)
        if mask is not None:
            masks[name] = mask
    return masks


def apply_masks(
    place: str, names: Collection[str], masks: Mapping[str, str], stored: Mapping[str, AnyArray]
) -> dict[str, AnyArray]:
    """Apply the masks to their columns; other columns stay unchanged.

    Parameters
    ----------
    place : str
        File, for messages.
    names : collection of str
    masks : mapping of str to str
        As `find_masks` gives them.
    stored : mapping of str to array
        Columns and masks.

    Raises
    ------
    InputError
        A mask is neither true nor false in a row, or not of the shape of its column.
    """
    return {n: _apply_to_column(place, n, masks[n], stored) if n in masks else stored[n] for n in names if n in stored}


def _apply_to_column(place: str, name: str, mask: str, stored: Mapping[str, AnyArray]) -> AnyArray:
    values = stored[mask]
    requirement = f"it is the mask of column '{name}', and must be true or false (or 1 or 0) in every row"
    flat = values.ravel()
    rows = np.arange(flat.size) // max(flat.size // max(len(values), 1), 1)
    gone = missing_rows(flat)
    if gone.any():
        row = int(rows[np.argmax(gone)]) + 1
        raise InputError(
            f"{place}: column '{mask}', row {row}: no value; {requirement}; correct it, or rename the column"
        )
    missing = as_booleans(place, mask, np.asarray(flat), rows, f"{requirement}; correct it, or rename the column")
    return apply_mask(place, name, stored[name], mask, missing.reshape(values.shape))
