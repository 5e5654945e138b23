"""Descriptions of unsupported files, with remedies."""

from __future__ import annotations

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "is a ZIP archive or a spreadsheet (xlsx, ods); unpack it, or save the sheet as CSV"),
    (b"PK\x05\x06", "is an empty ZIP archive"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive; unpack it first"),
    (b"Rar!", "is a RAR archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "is compressed by Zstandard; unpack it first (zstd -d)"),
    (b"\x04\x22\x4d\x18", "is compressed by LZ4; unpack it first (lz4 -d)"),
    (b"\x1f\x9d", "is compressed by 'compress' (.Z); unpack it first (uncompress)"),
    (b"\x93NUMPY", "is a NumPy array (.npy); write it as Parquet, FITS or CSV"),
    (b"\x80\x02", "is a Python pickle, which is never read, for it can run code; write the table as Parquet"),
    (b"\x80\x03", "is a Python pickle, which is never read, for it can run code; write the table as Parquet"),
    (b"\x80\x04", "is a Python pickle, which is never read, for it can run code; write the table as Parquet"),
    (b"\x80\x05", "is a Python pickle, which is never read, for it can run code; write the table as Parquet"),
    (b"SQLite format 3\0", "is an SQLite database; export the table as CSV (sqlite3 -header -csv)"),
    (b"ARROW1", "is an Arrow IPC (Feather) file; write the table as Parquet"),
    (b"FEA1", "is a Feather file of version 1; write the table as Parquet"),
    (b"\xff\xff\xff\xff", "is a stream of Arrow IPC, or no catalog; write the table as Parquet"),
    (b"Obj\x01", "is an Avro file; write the table as Parquet"),
    (b"ORC", "is an ORC file; write the table as Parquet"),
    (b"%PDF", "is a PDF document; no catalog can be read from it"),
    (b"%!PS", "is a PostScript document; no catalog can be read from it"),
    (b"{\\rtf", "is an RTF document; save the table as CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Excel or Word document; save the sheet as CSV"),
    (b"\x89PNG", "is a PNG image; no catalog can be read from it"),
    (b"\xff\xd8\xff", "is a JPEG image; no catalog can be read from it"),
    (b"GIF8", "is a GIF image; no catalog can be read from it"),
    (b"II*\0", "is a TIFF image; no catalog can be read from it"),
    (b"MM\0*", "is a TIFF image; no catalog can be read from it"),
    (b"\x7fELF", "is a program; no catalog can be read from it"),
    (b"CDF\x01", "is a NetCDF file of version 3; write the table as Parquet, or as NetCDF 4 (HDF5)"),
    (b"CDF\x02", "is a NetCDF file of version 3; write the table as Parquet, or as NetCDF 4 (HDF5)"),
    (b"PARE", "is a Parquet file with an encrypted footer; write it without encryption"),
    (b"\xff\xfe", "is text in UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "is text in UTF-16; save it as UTF-8"),
    (b"version https://git-lfs", "is a pointer of Git LFS, not the file itself; fetch it (git lfs pull)"),
)

_WORDS: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype html", "is a web page, perhaps of a login or an error; download the file again"),
    (b"<html", "is a web page, perhaps of a login or an error; download the file again"),
    (b"<?xml", "is an XML document other than VOTable"),
    (b"<", "is a document of tags (XML, HTML), and no VOTable"),
    (b"\\documentclass", "is a LaTeX document; write the table as CSV or ECSV"),
    (b"\\begin{", "is a LaTeX table; write it as CSV or ECSV"),
)


def describe(start: bytes) -> str | None:
    """Describe an unsupported file by its first bytes, with a remedy; or None."""
    for magic, text in _MAGIC:
        if start.startswith(magic):
            return text
    if start[257:262] == b"ustar":
        return "is a tar archive; unpack it first"
    plain = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    lowered = plain[:64].lower()
    for word, text in _WORDS:
        if lowered.startswith(word):
            return text
    if plain[:1] in (b"{", b"["):
        return "is JSON or the like; write the table as Parquet, CSV or ECSV"
    if b"\nByte-by-byte Description" in start:
        return "is a machine-readable table of CDS or AAS, which is not read; write it as ECSV (astropy: ascii.mrt)"
    if start[:400].count(b"\0") * 3 > len(start[:400]) and start[1:2] == b"\0":
        return "is text in UTF-16; save it as UTF-8"
    return None


def is_text(start: bytes) -> bool:
    """Return whether bytes may be a text table."""
    if describe(start) is not None or b"\0" in start:
        return False
    odd = sum(start.count(bytes([code])) for code in range(32) if code not in b"\t\n\v\f\r\x1b")
    return odd * 100 <= len(start)
