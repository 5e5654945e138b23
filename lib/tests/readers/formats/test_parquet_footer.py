"""Footers of Parquet files."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats import parquet_footer


def written(path: Path) -> Path:
    """Two row groups of numbers and lists."""
    pq.write_table(pa.table({"a": [1.0, 2.0, 3.0], "b": [[1], [], [1, 2, 3]]}), path, row_group_size=2)
    return path


def test_values_of_all_row_groups_are_summed(tmp_path: Path) -> None:
    """An empty list counts as one value, as Parquet stores it."""
    assert [size.values for size in parquet_footer.sizes(written(tmp_path / "a.parquet"))] == [3, 5]


def test_sizes_agree_with_those_of_arrow(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet")
    meta = pq.ParquetFile(path).metadata
    for k, size in enumerate(parquet_footer.sizes(path)):
        groups = [meta.row_group(group).column(k) for group in range(meta.num_row_groups)]
        assert size.values == sum(group.num_values for group in groups)
        assert size.uncompressed == sum(group.total_uncompressed_size for group in groups)


def test_a_footer_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet")
    path.write_bytes(path.read_bytes()[:-8] + (10**6).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(InputError, match="footer of 1000000 bytes is damaged"):
        parquet_footer.sizes(path)
