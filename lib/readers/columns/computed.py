"""Columns of the detections, computed from columns of a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from skyaccept.lib.arrays import AnyArray


@dataclass(frozen=True)
class Labels:
    """Dictionary-encoded labels: integer codes and distinct values, to save memory.

    Attributes
    ----------
    codes : (n,) int64
        Index into ``values``; negative for a missing label.
    values : (n_distinct,) int64, uint64, object (int) or str
        In ascending order.
    """

    codes: AnyArray
    values: AnyArray

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True)
class ComputedColumn(ABC):
    """A column of the detections, and the columns that it is computed from.

    They are of one table.

    Attributes
    ----------
    place : str
        File, with its table if it has several, for messages.
    name : str
        Name of the column of the detections.
    """

    place: str
    name: str

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Columns to read from the table; empty for one value for all rows."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Those of ``columns`` to read as labels."""
        return ()

    @abstractmethod
    def values(self, raw: Mapping[str, AnyArray], rows: int) -> AnyArray | Labels:
        """Compute the values of the rows.

        Parameters
        ----------
        raw : mapping of str to (n,) array
            Columns of the table.
        rows : int
            Number of rows, n.

        Raises
        ------
        InputError
            A value is not valid; the message names column and row.
        """
