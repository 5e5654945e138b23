"""File formats: a module for each, and the modules that they share."""

from skyaccept.lib.readers.formats import fits, hdf5, parquet, text, votable
from skyaccept.lib.readers.table import Format

FORMATS: tuple[Format, ...] = (parquet.FORMAT, fits.FORMAT, hdf5.FORMAT, votable.FORMAT, text.FORMAT)
"""Formats in the order of detection; text comes last, since it matches most files."""
