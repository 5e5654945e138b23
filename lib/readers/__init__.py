"""Readers: load any catalog file as validated, associated detections."""

from skyaccept.lib.readers.files import find_files, fingerprint, format_of
from skyaccept.lib.readers.formats import FORMATS
from skyaccept.lib.readers.loading import load

__all__ = ["FORMATS", "find_files", "fingerprint", "format_of", "load"]
