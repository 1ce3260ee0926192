"""Read zip archives and arrays that come from a stranger.

Nothing is ever unpickled, and nothing is written to disk. An entry is unpacked up to the size that it tells.
"""

from __future__ import annotations

import io
import math
import re
import struct
import tokenize
import zipfile
import zlib
from typing import Any

import numpy as np

LONGEST_HEADER = 1024
"""Characters: an array of plain numbers needs about a hundred."""

LONGEST_NAME = 30
"""Characters of a foreign name that are told."""

BROKEN_ZIP = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError,
    ValueError, EOFError, OSError, OverflowError, IndexError, KeyError,
)  # fmt: skip
"""What ``zipfile`` raises for a damaged file."""

_BROKEN_HEADER = (
    ValueError, SyntaxError, TypeError, RuntimeError, MemoryError, EOFError, OverflowError, IndexError,
    KeyError, AttributeError, struct.error, tokenize.TokenError, Warning,
)  # fmt: skip


def unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, advice: str) -> bytes:
    """Return the bytes of an entry, at most as many as it tells.

    Raises
    ------
    ValueError
        If it is encrypted, packed by an unusual method, or damaged.
    """
    if info.flag_bits & 0x1:
        raise ValueError(f"{told(name)} must not be encrypted; got a file with a password. {advice}")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(
            f"{told(name)} must be stored or deflated, as NumPy does; got compression method "
            f"{info.compress_type}. {advice}"
        )
    try:
        with archive.open(info) as packed:
            raw = packed.read(info.file_size)  # at most: what the archive has more is never unpacked
            whole = not packed.read(1)  # at the end the checksum is compared
    except BROKEN_ZIP:
        whole = False
    if not whole or len(raw) != info.file_size:
        raise ValueError(f"{told(name)} must be unpacked without damage; got a broken entry. Save it again.")
    return raw


def npy_header(raw: bytes, name: str, advice: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, order, type and where the data begin; nothing is made of the size that is claimed.

    Raises
    ------
    ValueError
        If this is no .npy file.
    """
    file = io.BytesIO(raw)
    try:
        version = np.lib.format.read_magic(file)
        readers = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        shape, fortran_order, dtype = readers[version](file, max_header_size=LONGEST_HEADER)
        sound = len(shape) <= 32 and all(length >= 0 for length in shape)
    except _BROKEN_HEADER:
        sound = False
    if not sound:
        raise ValueError(
            f"{told(name)} must be an array as np.savez writes it; got an entry without its header. {advice}"
        )
    return tuple(int(length) for length in shape), fortran_order, dtype, file.tell()


def told(name: str) -> str:
    """Shorten a foreign name to what is safe to show; links.tame would also take its underscores."""
    kept = re.sub(r"[^A-Za-z0-9._/-]", "?", name[:LONGEST_NAME])
    return (kept + ("…" if len(name) > LONGEST_NAME else "")) or "no name"


def shape_told(shape: tuple[int, ...]) -> str:
    """Return a shape as NumPy writes it, if it is short."""
    return str(shape) if len(shape) <= 3 and all(n < 10**12 for n in shape) else f"{len(shape)} axes"


def kind_told(dtype: np.dtype[Any]) -> str:
    """Say what kind of things an array holds."""
    kinds = {"O": "pickled objects", "U": "text", "S": "text", "c": "complex numbers", "b": "true and false"}
    return kinds.get(dtype.kind, f"a type of {dtype.itemsize} bytes" if dtype.kind in "fV" else "no numbers")


def size_told(count: int) -> str:
    """Return a number of bytes as text."""
    if count < 100_000:
        return f"{count:,} bytes"
    return f"{math.ceil(count / 1e5) / 10:,g} MB"  # rounded up: what is too large must look so
