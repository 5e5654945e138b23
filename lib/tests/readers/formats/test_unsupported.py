"""Descriptions of files that are not catalogs."""

from __future__ import annotations

import pytest
from skyaccept.lib.readers.formats.unsupported import describe, is_text


@pytest.mark.parametrize(
    ("start", "word"),
    [
        (b"%PDF-1.4", "PDF"),
        (b"PK\x03\x04", "unpack"),
        (b"\x80\x04", "pickle"),
        (b"\xef\xbb\xbf <HTML>", "web page"),
        (b'[{"ra": 1}]', "JSON"),
        (b"\0" * 257 + b"ustar", "tar"),
        (b"r\0a\0,\0d\0", "UTF-16"),
    ],
)
def test_a_file_is_described_by_its_first_bytes(start: bytes, word: str) -> None:
    assert word in str(describe(start))
    assert not is_text(start)


def test_a_table_of_text_is_not_described() -> None:
    assert describe(b"ra,dec\n1,2\n") is None
    assert is_text(b"ra,dec\n1,2\n")
    assert not is_text(b"ra,\x01\x02dec")
