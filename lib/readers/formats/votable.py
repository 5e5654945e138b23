"""VOTable files: fields, rows as TABLEDATA, BINARY or BINARY2, and query status.

Cells are assigned to columns by the order of the fields. External data are not fetched.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.parsers import expat

import numpy as np
from skyaccept.lib import progress
from skyaccept.lib.arrays import AnyArray
from skyaccept.lib.exceptions import InputError
from skyaccept.lib.readers.formats.votable_values import (
    TEXT,
    VOTableField,
    decode_stream,
    values_from_bytes,
    values_from_text,
)
from skyaccept.lib.readers.table import Column, Format, Table, mask_missing, open_binary, shorten

MAX_FIELDS = 5_000
_ROWS = 20_000  # rows of text to hold before conversion


@dataclass
class VOTable:
    """A table while it is read.

    Attributes
    ----------
    place, name : str
    declared : str
        Number of rows that it declares; may be empty.
    fields : list of VOTableField
    form : str
        TABLEDATA, BINARY or BINARY2; empty without data.
    rows : int
        Rows that were read.
    cells : mapping of str to list of str
        Text of requested columns before conversion.
    columns : mapping of str to list of (values, missing)
        Converted values and masks.
    stream : list of str
        Pieces of the stream, in the given ``encoding``.
    """

    place: str
    name: str
    declared: str
    fields: list[VOTableField] = field(default_factory=list)
    form: str = ""
    rows: int = 0
    cells: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[str, list[tuple[AnyArray, AnyArray]]] = field(default_factory=dict)
    stream: list[str] = field(default_factory=list)
    encoding: str = ""

    def convert(self) -> None:
        """Convert the text of the last rows to values."""
        for one in self.fields:
            texts = self.cells.get(one.name)
            if texts:
                self.columns.setdefault(one.name, []).append(values_from_text(one, texts, self.rows - len(texts) + 1))
                texts.clear()

    def wanted(self, names: Collection[str]) -> list[VOTableField]:
        """Return the named fields, in the order of the file."""
        return [one for one in self.fields if one.name in names]


def tables(path: Path) -> list[Table]:
    """List all tables that have fields.

    Raises
    ------
    InputError
        The file is damaged, its data are in another file, or the service declares the result incomplete.
    """
    document = _parse(path, {})
    if not document.tables:
        raise InputError(f"{path}: the VOTable holds no table with fields")
    _refuse_partial(path, document)
    return [
        Table(number, table.name, tuple(_column(one) for one in table.fields if one.name))
        for number, table in enumerate(document.tables)
    ]


def read(
    path: Path, numbers: Sequence[int], names: Collection[str], labels: Collection[str]
) -> list[Mapping[str, AnyArray]]:
    """Read the named columns of the numbered tables."""
    document = _parse(path, dict.fromkeys(numbers, names))
    return [_values(document.tables[number], names) for number in numbers]


def _column(one: VOTableField) -> Column:
    kind = one.datatype + (f"[{one.arraysize}]" if one.arraysize else "")
    return Column(one.name, kind, one.unit, " ".join(one.description.split()))


def _values(table: VOTable, names: Collection[str]) -> dict[str, AnyArray]:
    wanted = table.wanted(names)
    if table.form in ("BINARY", "BINARY2"):
        stream = decode_stream(table.place, table.encoding, table.stream)
        table.stream.clear()
        columns, table.rows = values_from_bytes(table.place, table.fields, wanted, stream, table.form == "BINARY2")
    else:
        for one in wanted:
            one.check_readable(table.rows)
        columns = {one.name: _concatenate(one, table.columns.pop(one.name, [])) for one in wanted}
    if table.declared and table.declared != str(table.rows):
        raise InputError(
            f"{table.place}: the VOTable is truncated or damaged: it declares {shorten(table.declared)} rows, and "
            f"holds {table.rows}; fetch it again"
        )
    return columns


def _concatenate(one: VOTableField, parts: list[tuple[AnyArray, AnyArray]]) -> AnyArray:
    values, missing = zip(*(parts or [values_from_text(one, [], 1)]), strict=True)
    return mask_missing(np.concatenate(values), np.concatenate(missing))


def _refuse_partial(path: Path, document: _Document) -> None:
    """Refuse a query result that the service declares incomplete."""
    if not document.status:
        return
    status, text = document.status
    rows = sum(_rows(path, number, table) for number, table in enumerate(document.tables))
    remedy = "raise MAXREC, or split the query" if status != "ERROR" else "ask again, or split the query"
    reason = f" ({shorten(text)})" if text else ""
    raise InputError(
        f"{path}: the query result is incomplete: QUERY_STATUS is {shorten(status)}{reason}, with {rows} rows; {remedy}"
    )


def _rows(path: Path, number: int, table: VOTable) -> int:
    """Count the rows of a table."""
    if table.form not in ("BINARY", "BINARY2"):
        return table.rows
    whole = _parse(path, {number: ()}).tables[number]
    try:
        stream = decode_stream(whole.place, whole.encoding, whole.stream)
        return values_from_bytes(whole.place, whole.fields, [], stream, whole.form == "BINARY2")[1]
    except InputError:
        return 0


def _parse(path: Path, wanted: Mapping[int, Collection[str]]) -> _Document:
    with open_binary(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        document = _Document(path, size, wanted)
        try:
            document.parser.ParseFile(file)
        except expat.ExpatError as error:
            raise InputError(f"{path}: the VOTable is truncated or damaged: {error}") from None
        except (ValueError, LookupError, OverflowError, MemoryError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path}: the VOTable is truncated or damaged: {shorten(error)}") from None
    return document


class _Document:
    """State of the parser: tables with their fields, and rows of the requested ones."""

    def __init__(self, path: Path, size: int, wanted: Mapping[int, Collection[str]]) -> None:
        self.path, self.size, self.wanted = path, size, wanted
        self.tables: list[VOTable] = []
        self.status: tuple[str, str] | None = None
        self.tags: list[str] = []
        self.current: VOTable | None = None  # open table
        self.names: Collection[str] | None = None  # its requested columns
        self.cells: list[list[str] | None] = []  # destination of the text of each field
        self.cell = 0
        self.text: list[str] = []
        self.info: tuple[str, str] | None = None
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.doctype

    def doctype(self, *_: object) -> None:
        """Refuse a document type, whose entities may expand without bound."""
        raise InputError(f"{self.path}: a VOTable with a document type is not read; remove <!DOCTYPE ...>")

    def listen(self) -> None:
        """Collect the following text."""
        self.text = []
        self.parser.CharacterDataHandler = self.text.append

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        tag = name.rpartition(" ")[2]
        parent = self.tags[-1] if self.tags else ""
        self.tags.append(tag)
        if parent == "TR":
            self.start_cell(tag, attributes)
        elif parent == "TABLEDATA":
            self.start_row(tag)
        elif parent == "TD":
            raise self.bad_row(f"has an element {shorten(tag)} within a cell")
        elif tag in ("INFO", "PARAM"):
            self.start_info(tag, attributes)
        elif tag == "TABLE":
            self.start_table(attributes)
        elif self.current is not None:
            self.start_part(self.current, parent, tag, attributes)

    def start_table(self, attributes: dict[str, str]) -> None:
        """Open a table."""
        name = attributes.get("name") or attributes.get("ID") or ""
        place = f"{self.path}: table {len(self.tables) + 1}" + (f" ({shorten(name)})" if name else "")
        if "ref" in attributes:
            raise InputError(f"{place}: its fields are those of another table (ref); write them out")
        self.current = VOTable(place, name, attributes.get("nrows", "").strip())

    def start_part(self, table: VOTable, parent: str, tag: str, attributes: dict[str, str]) -> None:
        """Open a part of a table: its description or its data."""
        if tag == "FIELD" and parent == "TABLE":
            self.add_field(table, attributes)
        elif tag == "VALUES" and parent == "FIELD":
            if "ref" in attributes:
                raise InputError(f"{table.fields[-1].place}: its VALUES are in another element (ref); write them out")
            if "null" in attributes:
                table.fields[-1] = replace(table.fields[-1], null=attributes["null"])
        elif tag == "DESCRIPTION" and parent == "FIELD":
            self.listen()
        elif parent == "DATA":
            self.start_data(table, tag)
        elif tag == "STREAM":
            if any(key.rpartition(" ")[2] == "href" for key in attributes):
                raise InputError(
                    f"{self.path}: its data are in another file (STREAM with href), which is not fetched; save them "
                    "inline"
                )
            table.encoding = attributes.get("encoding", "none")
            if self.names is not None:
                self.listen()

    def start_data(self, table: VOTable, tag: str) -> None:
        """Open the rows of a table."""
        if tag == "INFO":
            return
        if tag not in ("TABLEDATA", "BINARY", "BINARY2") or table.form:
            raise InputError(
                f"{table.place}: data in form {shorten(tag)} are not read; save it as TABLEDATA or BINARY2"
            )
        table.form = tag
        self.names = self.wanted.get(len(self.tables)) if table.fields else None
        if self.names is not None:
            for one in table.wanted(self.names):
                one.check_readable(0)
                table.cells[one.name] = []
        self.cells = [table.cells.get(one.name) for one in table.fields]

    def add_field(self, table: VOTable, attributes: dict[str, str]) -> None:
        """Add a field; without a name, its ID serves."""
        if table.form:
            raise InputError(f"{table.place}: the VOTable is damaged: a field behind the data")
        name = attributes.get("name") or attributes.get("ID") or ""
        place = f"{table.place}: column '{shorten(name or len(table.fields) + 1)}'"
        if name and any(one.name == name for one in table.fields):
            raise InputError(f"{place} occurs twice; rename one")
        if len(table.fields) == MAX_FIELDS:
            raise InputError(f"{table.place}: more than {MAX_FIELDS} fields")
        size = "".join(attributes.get("arraysize", "").split())
        one = VOTableField(place, name, attributes.get("datatype", "").strip(), size, attributes.get("unit"))
        one.check_arraysize(self.size)
        table.fields.append(one)

    def start_row(self, tag: str) -> None:
        """Open a row."""
        if self.current is None or tag != "TR":
            raise InputError(f"{self.path}: the VOTable is damaged: element {shorten(tag)} among the rows of a table")
        self.current.rows += 1
        self.cell = 0

    def start_cell(self, tag: str, attributes: dict[str, str]) -> None:
        """Open a cell of a row."""
        if self.names is None:
            return
        if tag != "TD" or self.cell >= len(self.cells) or attributes.get("encoding", "none") != "none":
            raise self.bad_row(f"has an element {shorten(tag)} too many, or one in base64")
        if self.cells[self.cell] is not None:
            self.listen()

    def start_info(self, tag: str, attributes: dict[str, str]) -> None:
        """Open a status of the query (DALI) or an error (Simple Cone Search)."""
        name = (attributes.get("name") or attributes.get("ID") or "").strip().upper()
        text = tag == "INFO" or attributes.get("datatype") == "char"
        value = attributes.get("value", "").strip()
        self.info = None
        if name == "QUERY_STATUS" and value.upper() not in ("OK", ""):
            self.info = (value.upper(), "")
        elif name == "ERROR" and text:
            self.info = ("ERROR", value)
        if self.info is not None:
            self.listen()

    def end(self, name: str) -> None:
        """Close an element."""
        tag = self.tags.pop()
        if tag == "TD" and self.names is not None:
            cells = self.cells[self.cell]
            if cells is not None:
                cells.append("".join(self.text))
            self.cell += 1
        elif tag == "TR" and self.current is not None:
            self.end_row(self.current)
        elif tag in ("INFO", "PARAM") and self.info is not None:
            self.status = self.status or (self.info[0], " ".join([self.info[1], *self.text]).strip())
            self.info = None
        elif self.current is not None and self.current.fields and tag == "DESCRIPTION" and self.tags[-1] == "FIELD":
            self.current.fields[-1] = replace(self.current.fields[-1], description="".join(self.text))
        elif tag == "STREAM" and self.current is not None and self.names is not None:
            self.current.stream = self.text
        elif tag == "TABLE" and self.current is not None:
            self.end_table(self.current)
        self.parser.CharacterDataHandler = None

    def end_row(self, table: VOTable) -> None:
        """Close a row; refuse one with another number of cells than fields."""
        if self.names is None:
            return
        if self.cell != len(self.cells):
            raise self.bad_row(f"has {self.cell} cells, and the table has {len(self.cells)} fields")
        if table.rows % _ROWS == 0:
            progress.report(f"reading {self.path.name}: {table.rows} rows")
            self.convert(table)

    def convert(self, table: VOTable) -> None:
        """Convert the last rows, within the size that the file allows."""
        for one in table.wanted(table.cells):
            if one.datatype not in TEXT:  # text needs no more memory than its length
                one.check_arraysize(self.size // max(table.rows, 1))
        table.convert()

    def end_table(self, table: VOTable) -> None:
        """Close a table; one without fields is ignored."""
        self.convert(table)
        if table.fields:
            self.tables.append(table)
        elif table.rows:
            raise InputError(f"{table.place}: the VOTable is damaged: rows, and no fields")
        self.current, self.names = None, None

    def bad_row(self, why: str) -> InputError:
        """Build an error for the current row."""
        place = f"{self.current.place}, row {self.current.rows}" if self.current is not None else str(self.path)
        return InputError(f"{place}: the VOTable is damaged: it {why}")


def _recognises(start: bytes) -> bool:
    return start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" and b"VOTABLE" in start


FORMAT = Format("VOTable", (".vot", ".votable"), _recognises, tables, read)
