"""Lines of text tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats import text_lines
from skyaccept.lib.readers.formats.text_layout import detect_layout


def written(path: Path, text: str) -> Path:
    """A file of text."""
    path.write_text(text)
    return path


def test_rows_are_counted_without_comments_and_blank_lines(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "ra,dec\n1,2\n# note\n\n3,4\n")
    assert text_lines.count_rows(path, detect_layout(path)) == 2


def test_blanks_become_tabs_and_quoted_text_stays(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", 'name  x\n"a b"   1\n  c  2 \n')
    rows = text_lines.open_rows(path, detect_layout(path))
    assert (rows.delimiter, rows.native) == ("\t", False)
    assert rows.file.read() == b'"a b"\t1\nc\t2\n'
    rows.file.close()


def test_a_comment_that_could_be_a_row_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "ra,dec\n1,2\n#3,4\n")
    with pytest.raises(InputError, match="begins with '#' and has as many fields as a row"):
        text_lines.count_rows(path, detect_layout(path))


def test_a_cut_line_and_quotes_are_noticed(tmp_path: Path) -> None:
    cut = written(tmp_path / "a.csv", "ra,dec\n1,2")
    assert not text_lines.last_line_ends(cut)
    assert text_lines.last_line_ends(written(tmp_path / "b.csv", "ra,dec\n1,2\n"))
    assert not text_lines.has_quotes(cut, detect_layout(cut))
    quoted = written(tmp_path / "c.csv", 'ra,dec\n"1",2\n')
    assert text_lines.has_quotes(quoted, detect_layout(quoted))
