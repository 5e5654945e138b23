"""Readers: any catalog file to the same checked detections."""

from skyaccept.lib.readers.files import FORMATS, find, fingerprint, format_of
from skyaccept.lib.readers.loading import load

__all__ = ["FORMATS", "find", "fingerprint", "format_of", "load"]
