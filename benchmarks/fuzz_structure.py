"""Mutations of the structure of FITS, VOTable, HDF5 and Parquet files."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CARD = 80

FITS_VALUES = (
    *("0", "1", "-1", "2", "999", "1000", "999999999", "2147483648", "99999999999999999999", "1E308", "NaN", "T", "F"),
    *("''", "'X       '", "'TABLE   '", "'BINTABLE'", "'IMAGE   '", "'1PJ(9)  '", "'0D      '", "'999999999D'", "'9J'"),
    *(
        "'10X     '",
        "'5A      '",
        "'16X'",
        "'C'",
        "'LDAC_OBJECTS'",
        "'LDAC_IMHEAD'",
        "'10**9999999999 deg'",
        "'(9,9,9)'",
    ),
    *("3", "8", "-32", "20.5", "'ra      '", "'F9.3'", "'I99'"),
)
FITS_KEYWORDS = (
    *("NAXIS", "NAXIS1", "NAXIS2", "BITPIX", "PCOUNT", "GCOUNT", "TFIELDS", "XTENSION", "EXTNAME", "THEAP", "FLAGCOL"),
    *("TTYPE4", "TFORM4", "TFORM1", "TNULL4", "TNULL1", "TSCAL4", "TZERO1", "TZERO4", "TUNIT4", "TDIM4", "TBCOL4"),
    *("DATASUM", "CHECKSUM", "ZIMAGE", "ZTABLE", "TFLAG1", "END", "CONTINUE", "HIERARCH a b", ""),
)
ATTRIBUTES = (
    *("", "0", "1", "-1", "*", "3*", "2x3", "2x*", "99999999", "99999999999999999999x9", "x", "bit", "boolean", "char"),
    *("unicodeChar", "short", "int", "long", "float", "double", "doubleComplex", "floatComplex", "unsignedByte", "ra"),
    *("visit", "base64", "gzip", "dynamic", "OVERFLOW", "ERROR", "OK", "10**9999999999 deg", "N/A", "null", "3"),
)
NAMES = ("name", "ID", "datatype", "arraysize", "unit", "null", "ref", "encoding", "href", "nrows", "value", "utype")
ELEMENTS = ("TD", "TR", "FIELD", "TABLE", "DATA", "VALUES", "STREAM", "BINARY", "BINARY2", "FITS", "INFO", "RESOURCE")


def fits_cards(content: bytes, rng: np.random.Generator) -> bytes:
    """Delete one header card, or change its value, keyword or position.

    The file keeps its length.
    """
    cards = [
        position
        for position in range(0, len(content), CARD)
        if re.match(rb"[A-Z0-9_-]+ *= ", content[position : position + 12])
    ]
    if not cards:
        return content
    position = int(rng.choice(cards))
    card = content[position : position + CARD]
    kind = int(rng.integers(0, 5))
    if kind == 0:
        card = b" " * CARD
    elif kind == 1:
        card = f"{rng.choice(FITS_KEYWORDS):8s}".encode() + card[8:]
    elif kind == 2:
        other = int(rng.choice(cards))
        content = content[:other] + card + content[other + CARD :]
    else:
        value = str(rng.choice(FITS_VALUES))
        card = card[:10] + f"{value:>20s}".encode()
    return content[:position] + card[:CARD].ljust(CARD) + content[position + CARD :]


def xml_elements(content: bytes, rng: np.random.Generator) -> bytes:
    """Change one attribute, or duplicate, rename or delete one element."""
    kind = int(rng.integers(0, 5))
    if kind < 3:
        matches = list(re.finditer(rb'([A-Za-z]+)="([^"]*)"', content))
        if not matches:
            return content
        match = matches[int(rng.integers(0, len(matches)))]
        name = str(rng.choice(NAMES)).encode() if kind == 0 else match[1]
        value = match[2] if kind == 0 else str(rng.choice(ATTRIBUTES)).encode()
        return content[: match.start()] + name + b'="' + value + b'"' + content[match.end() :]
    matches = list(re.finditer(rb"<([A-Z0-9]+)([^<>]*)/>|<([A-Z0-9]+)([^<>]*)>([^<]*)</\3>", content))
    if not matches:
        return content
    match = matches[int(rng.integers(0, len(matches)))]
    text = match[0]
    if kind == 3:
        text = text * int(rng.choice([0, 2]))
    else:
        text = text.replace(match[1] or match[3], str(rng.choice(ELEMENTS)).encode())
    return content[: match.start()] + text + content[match.end() :]


def hdf5_objects(content: bytes, rng: np.random.Generator) -> bytes:
    """Delete or copy one object of the file, or change its attributes, type or shape."""
    file = io.BytesIO(content)
    try:
        with h5py.File(file, "r+") as opened:
            names: list[str] = []
            opened.visit(names.append)
            if names:
                _mutate_object(opened, names[int(rng.integers(0, len(names)))], rng)
    except (OSError, RuntimeError, ValueError, TypeError, KeyError):
        return content
    return file.getvalue()


def _mutate_object(file: h5py.File, name: str, rng: np.random.Generator) -> None:
    item = file[name]
    kind = int(rng.integers(0, 6))
    if kind == 0:
        del file[name]
    elif kind == 1:
        file[f"{name}{rng.integers(0, 3)}"] = item
    elif kind == 2:
        keys = [*item.attrs, "unit", "_FillValue", "scale_factor", "pandas_type", "type", "nrows"]
        values = [0, -1, 1e308, "deg", "10**9999999999 deg", b"\xff", np.zeros(3), "frame_table", "table", "N."]
        item.attrs[str(rng.choice(keys))] = values[int(rng.integers(0, len(values)))]
    elif isinstance(item, h5py.Dataset):
        odd = ("f4", "i1", "u8", "S9", "c16", "V5", h5py.string_dtype(), h5py.vlen_dtype("f8"), h5py.ref_dtype)
        dtype = item.dtype if kind == 3 else odd[int(rng.integers(0, len(odd)))]
        shapes = [item.shape, (), (0,), (1,), (10**6,), (10**12,), (*item.shape, 3), (47,)]
        shape = shapes[int(rng.integers(0, len(shapes)))] if kind != 4 else item.shape
        chunks = (1000,) * len(shape) if shape and rng.random() < 0.5 else None
        del file[name]
        file.create_dataset(
            name, shape, dtype, chunks=chunks, maxshape=None if chunks is None else (None,) * len(shape)
        )


def _odd_column(n: int, rng: np.random.Generator) -> pa.Array:
    """Return a column of a random type, with or without missing values."""
    numbers = [None if rng.random() < 0.1 else int(rng.integers(-(2**40), 2**40)) for _ in range(n)]
    texts = [None if number is None else str(number % 7) for number in numbers]
    kinds = (
        lambda: pa.array(numbers),
        lambda: pa.array(numbers).cast(pa.float32(), safe=False),
        lambda: pa.array(numbers).cast(pa.decimal128(20, 0)),
        lambda: pa.array([None if number is None else abs(number) for number in numbers], pa.uint64()),
        lambda: pa.array(numbers, pa.timestamp("us")),
        lambda: pa.array(numbers, pa.timestamp("us", "UTC")),
        lambda: pa.array(numbers, pa.duration("s")),
        lambda: pa.array([None if number is None else number % 86400 for number in numbers], pa.time32("s")),
        lambda: pa.array([None if number is None else number % 20000 for number in numbers], pa.date32()),
        lambda: pa.array([None if number is None else number % 2 == 0 for number in numbers]),
        lambda: pa.array(texts),
        lambda: pa.array(texts).dictionary_encode(),
        lambda: pa.array(texts).cast(pa.binary()),
        lambda: pa.array(texts, pa.large_string()),
        lambda: pa.nulls(n),
        lambda: pa.array([[1.0, 2.0]] * n, pa.list_(pa.float64(), 2)),
        lambda: pa.array([[1.0] * int(rng.integers(0, 3)) for _ in range(n)]),
        lambda: pa.array([{"x": number, "y": [number]} for number in numbers]),
        lambda: pa.array([[("a", number)] for number in numbers], pa.map_(pa.string(), pa.int64())),
        lambda: pa.array([float("inf")] * n),
        lambda: pa.array(["x" * int(rng.integers(0, 100_000))] * n),
    )
    return kinds[int(rng.integers(0, len(kinds)))]()


def parquet_columns(content: bytes, rng: np.random.Generator) -> bytes:
    """Change the type of a column, change columns or rows, and write differently."""
    try:
        table = pq.ParquetFile(io.BytesIO(content)).read()
    except (pa.ArrowException, OSError):
        return content
    position = int(rng.integers(0, table.num_columns))
    name = table.column_names[position]
    kind = int(rng.integers(0, 8))
    if kind < 4:
        table = table.set_column(position, name, _odd_column(len(table), rng))
    elif kind == 4:
        table = table.remove_column(position)
    elif kind == 5:
        names = [
            f"{name}.mask" if k == (position + 1) % table.num_columns else n for k, n in enumerate(table.column_names)
        ]
        table = table.rename_columns(names)
    elif kind == 6:
        table = table.append_column(table.column_names[int(rng.integers(0, table.num_columns))], table.column(position))
    else:
        table = table.slice(int(rng.integers(0, len(table))))
    written = io.BytesIO()
    pq.write_table(
        table,
        written,
        row_group_size=int(rng.choice([1, 7, 1000])),
        use_dictionary=bool(rng.random() < 0.5),
        compression=str(rng.choice(["none", "snappy", "zstd", "gzip"])),
        data_page_version=str(rng.choice(["1.0", "2.0"])),
        store_schema=bool(rng.random() < 0.5),
        version=str(rng.choice(["1.0", "2.6"])),
    )
    return written.getvalue()


STRUCTURED: Mapping[str, Callable[[bytes, np.random.Generator], bytes]] = {
    **dict.fromkeys(("fits", "fits-ascii", "fits-scaled", "ldac"), fits_cards),
    **dict.fromkeys(("votable-tabledata", "votable-binary", "votable-binary2"), xml_elements),
    **dict.fromkeys(("parquet", "parquet-astropy"), parquet_columns),
    **dict.fromkeys(("hdf5-records", "hdf5-columns", "hdf5-astropy", "hdf5-pandas", "hdf5-pandas-fixed"), hdf5_objects),
}
"""Structural mutation by format, for formats of `benchmarks.fuzz_seeds.SEEDS` that have one."""
