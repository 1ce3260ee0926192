"""A trained recurrent network as an .npz file: read safely, and written.

A file comes from a stranger. Nothing in it is ever unpickled, nothing is unpacked beyond ``LARGEST_FILE``,
and an array is only made once its header agrees with the bytes that are really there.
"""

from __future__ import annotations

import io
import math
import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.analysis.uploaded_network import UploadedNetwork
from rnnviz.model.arrays import Array
from rnnviz.model.cells import VanillaWeights

LARGEST_FILE = 2_000_000
"""Bytes, packed and unpacked: 700 hidden units in single precision."""

MOST_ENTRIES = 64
"""Arrays in a file: eight layers need at most 32."""

LARGEST_HIDDEN, MOST_LAYERS = 700, 8
"""What is analysed in a few seconds, and in a few hundred MB."""

LARGEST_WEIGHT = 1e30
"""A weight beyond this is no weight any more; its products overflow."""

LONGEST_HEADER = 1024
"""Characters: an array of plain numbers needs about a hundred."""

LONGEST_NAME, NAMES_TOLD = 30, 4
"""Characters of a foreign name that are told, and how many names."""

SAVE = 'Save it with np.savez("network.npz", W_xh=W_xh, W_hh=W_hh, b_h=b_h).'

_BROKEN_ZIP = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError,
    ValueError, EOFError, OSError, OverflowError, IndexError, KeyError,
)  # fmt: skip
_BROKEN_HEADER = (
    ValueError, SyntaxError, TypeError, RuntimeError, MemoryError, EOFError, OverflowError, IndexError,
    KeyError, AttributeError, struct.error, tokenize.TokenError, Warning,
)  # fmt: skip

_FOREIGN_FILES = (
    (b"\x93NUMPY", "a single array (.npy)"),
    (b"\x89HDF\r\n", "an HDF5 file (.h5)"),
    (b"\x80", "a pickle (.pt, .pth or .pkl), which could run any program when it is opened"),
)
"""How files begin that come instead of an .npz, and what they are."""

_FOREIGN_MEMBERS = (
    ("data.pkl", "a PyTorch file (.pt or .pth), which holds pickled objects"),
    ("model.weights.h5", "a Keras file (.keras)"),
)
"""Members by which a zip file shows that it is no .npz, and what it is."""


@dataclass(frozen=True)
class Convention:
    """How one library calls the arrays of a recurrent layer.

    biases : their names; they are added up. pattern : what matches a name, with the groups prefix, kind,
    layer and reverse. transposed : whether matrices act from the left, (H, I) and (H, H).
    """

    source: str
    W_xh: str
    W_hh: str
    biases: tuple[str, ...]
    pattern: re.Pattern[str]
    transposed: bool = False

    def parts(self, name: str) -> re.Match[str] | None:
        """Take a name apart; None if it is not of this convention."""
        return self.pattern.fullmatch(name)


def _pattern(kinds: str, prefix: str = "", layer: str = r"(?:_l(?P<layer>[0-9]{1,2}))?") -> re.Pattern[str]:
    return re.compile(f"(?P<prefix>{prefix})(?P<kind>{kinds}){layer}(?P<reverse>(?:_reverse)?)", re.DOTALL)


CONVENTIONS = (
    Convention("rnnviz names", "W_xh", "W_hh", ("b_h",), _pattern("W_xh|W_hh|b_h")),
    Convention(
        "PyTorch",
        "weight_ih",
        "weight_hh",
        ("bias_ih", "bias_hh"),
        _pattern("(?:weight|bias)_[ih]h", prefix=r"(?:.*\.)?"),
        transposed=True,
    ),
    Convention(
        "Keras",
        "kernel",
        "recurrent_kernel",
        ("bias",),
        _pattern("kernel|recurrent_kernel|bias", layer="(?P<layer>)"),
    ),
)
"""The names that are understood."""

GATES = {4: "an LSTM", 3: "a GRU"}
"""Cells by the number of matrices that are stacked in their W_hh."""


# Reading ------------------------------------------------------------------------------------------


def read_network(data: bytes) -> UploadedNetwork:
    """Read the weights of a recurrent network from the bytes of an .npz file.

    Understood are, with shapes:

    - ``W_xh`` (I, H), ``W_hh`` (H, H), ``b_h`` (H,), further layers with ``_l1``, ``_l2`` behind;
    - the state dict of a PyTorch ``nn.RNN``: ``weight_ih_l0`` (H, I), ``weight_hh_l0`` (H, H), ``bias_ih_l0``
      and ``bias_hh_l0`` (H,), further layers with ``_l1``, ``_l2``, a prefix such as ``rnn.`` allowed;
    - a Keras ``SimpleRNN``: ``kernel`` (I, H), ``recurrent_kernel`` (H, H), ``bias`` (H,).

    Biases may be left out. Any integer or floating-point type is accepted and becomes float64.

    Raises
    ------
    ValueError
        For everything else, in a sentence that says what was expected, what came, and what to do.
    """
    with _opened(data) as archive:
        members = _members(archive)
        convention = _convention(members)
        found = _layer_names(convention, members)
        layers: list[VanillaWeights] = []
        for names in found:
            arrays = {kind: _array(archive, members[name], name) for kind, name in names.items()}
            below = layers[-1].W_hh.shape[0] if layers else None
            layers.append(_weights(convention, names, arrays, below))
    used = {name for names in found for name in names.values()}
    ignored = tuple(_told(name) for name in members if name not in used)
    return UploadedNetwork(tuple(layers), convention.source, ignored)


def save_network(network: UploadedNetwork) -> bytes:
    """Return the bytes of an .npz file that ``read_network`` reads, with the names W_xh, W_hh and b_h."""
    arrays = {
        f"{name}_l{i}" if i else name: getattr(layer, name)
        for i, layer in enumerate(network.layers)
        for name in ("W_xh", "W_hh", "b_h")
    }
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    return packed.getvalue()


def _opened(data: bytes) -> zipfile.ZipFile:
    """Open a file as what an .npz is, a zip archive."""
    if len(data) > LARGEST_FILE:
        raise ValueError(
            f"The file may have {_size(LARGEST_FILE)}; got {_size(len(data))}. "
            "Save only the recurrent layer, in single precision."
        )
    for start, what in _FOREIGN_FILES:
        if data.startswith(start):
            raise ValueError(f"Expected an .npz file; got {what}. {SAVE}")
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except _BROKEN_ZIP:
        came = "an empty file" if not data else f"{_size(len(data))} that are no complete zip archive"
        raise ValueError(f"Expected an .npz file; got {came}. {SAVE}") from None


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the arrays of an archive by name, unopened; what it says of itself must be within bounds."""
    infos = archive.infolist()
    if len(infos) > MOST_ENTRIES:
        raise ValueError(
            f"The file may hold {MOST_ENTRIES} arrays; got {len(infos)}. Save only the recurrent layer."
        )
    for ending, what in _FOREIGN_MEMBERS:
        if any(info.filename.endswith(ending) for info in infos):
            raise ValueError(f"Expected an .npz file; got {what}. {SAVE}")
    unpacked = sum(info.file_size for info in infos)
    if unpacked > LARGEST_FILE:
        raise ValueError(
            f"Unpacked, the arrays may have {_size(LARGEST_FILE)}; got {_size(unpacked)}. "
            "Save only the recurrent layer, in single precision."
        )
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename.removesuffix(".npy")
        if name in members:
            raise ValueError(f"Every name must be there once; got {_told(name)} twice. Save the file again.")
        members[name] = info
    return members


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Array:
    """Read one array of plain numbers as float64; it is made only if its header tells the truth."""
    if info.flag_bits & 0x1:
        raise ValueError(f"{_told(name)} must not be encrypted; got a file with a password. {SAVE}")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(
            f"{_told(name)} must be stored or deflated, as NumPy does; got compression method "
            f"{info.compress_type}. {SAVE}"
        )
    try:
        with archive.open(info) as packed:
            raw = packed.read(info.file_size)  # at most: what the archive has more is never unpacked
            whole = not packed.read(1)  # at the end the checksum is compared
    except _BROKEN_ZIP:
        whole = False
    if not whole or len(raw) != info.file_size:
        raise ValueError(f"{_told(name)} must be unpacked without damage; got a broken entry. Save it again.")
    return _numbers(raw, name)


def _numbers(raw: bytes, name: str) -> Array:
    """Turn the bytes of an .npy file into float64."""
    shape, fortran_order, dtype, start = _header(raw, name)
    if dtype.kind not in "fiu" or dtype.itemsize > 8:
        raise ValueError(
            f"{_told(name)} must hold plain numbers (float64, float32, float16 or integers); "
            f"got {_kind(dtype)}. Convert it, for example with .astype(np.float32)."
        )
    count = math.prod(shape)
    there, claimed = len(raw) - start, count * dtype.itemsize
    if claimed != there:
        raise ValueError(
            f"{_told(name)} must have the size that its header tells, {_shape(shape)}; got {there} bytes of "
            f"data. Save it again."
        )
    if not count:
        raise ValueError(
            f"{_told(name)} must not be empty; got shape {_shape(shape)}. Save a trained network."
        )
    with np.errstate(invalid="ignore"):  # a signalling NaN would warn
        flat = np.frombuffer(raw, dtype, count, start).astype(np.float64)
    values: Array = flat.reshape(shape, order="F" if fortran_order else "C")
    if not np.isfinite(values).all():
        raise ValueError(
            f"{_told(name)} must hold finite numbers; got NaN or inf. "
            "Save the network from before it diverged."
        )
    largest = float(np.abs(values).max())
    if largest > LARGEST_WEIGHT:
        raise ValueError(
            f"{_told(name)} must hold weights below {LARGEST_WEIGHT:g}; got {largest:.0e}. "
            "Save the network from before it diverged."
        )
    return values


def _header(raw: bytes, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, order, type and where the data begin; nothing is made of the size that is claimed."""
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
            f"{_told(name)} must be an array as np.savez writes it; got an entry without its header. {SAVE}"
        )
    return tuple(int(length) for length in shape), fortran_order, dtype, file.tell()


# Names and shapes ---------------------------------------------------------------------------------


def _convention(names: Collection[str]) -> Convention:
    """Tell by the names in a file whose they are: by a recurrent matrix, or else by one for the input."""
    for kind in ("W_hh", "W_xh"):
        fitting = [c for c in CONVENTIONS if any(_is_of(c, name, getattr(c, kind)) for name in names)]
        if len(fitting) > 1:
            raise ValueError(
                f"Expected one network; got {fitting[0].source} and {fitting[1].source} side by side. "
                "Save each network in a file of its own."
            )
        if fitting:
            return fitting[0]
    raise ValueError(
        "Expected arrays named W_xh, W_hh and b_h, the state dict of a PyTorch nn.RNN, or kernel, "
        f"recurrent_kernel and bias of a Keras SimpleRNN; got {_listed(names)}. {SAVE}"
    )


def _is_of(convention: Convention, name: str, kind: str) -> bool:
    parts = convention.parts(name)
    return parts is not None and parts["kind"] == kind


def _layer_names(convention: Convention, names: Collection[str]) -> list[dict[str, str]]:
    """Return, for every layer from the lowest up, the name in the file of each kind of array."""
    by_layer: dict[int, dict[str, str]] = {}
    matched = [parts for parts in map(convention.parts, names) if parts]
    prefixes = list(dict.fromkeys(parts["prefix"] for parts in matched))
    if len(prefixes) > 1:
        raise ValueError(
            f"Expected one recurrent network; got {len(prefixes)}, beginning with {_listed(prefixes)}. "
            "Save the state dict of one of them, for example of model.rnn."
        )
    for parts in matched:
        name, kind, layer = parts.string, parts["kind"], int(parts["layer"] or 0)
        if parts["reverse"]:
            raise ValueError(
                f"Expected a network that reads in one direction; got a bidirectional one ({_told(name)}). "
                "Save one direction of its lowest layer: only the names that end in _l0."
            )
        if kind in by_layer.setdefault(layer, {}):
            raise ValueError(
                f"Every array must be there once; got {_told(by_layer[layer][kind])} and {_told(name)}. "
                "Save only one of them."
            )
        by_layer[layer][kind] = name
    depth = max(by_layer) + 1
    if depth > MOST_LAYERS:
        raise ValueError(f"The network may have {MOST_LAYERS} layers; got {depth}. Save the lowest ones.")
    found = [by_layer.get(layer, {}) for layer in range(depth)]
    for layer, kinds in enumerate(found):
        _check_complete(convention, layer, kinds)
    return found


def _check_complete(convention: Convention, layer: int, kinds: Mapping[str, str]) -> None:
    """Refuse a layer without both of its matrices, or with one of two biases."""
    biases = [kind for kind in convention.biases if kind in kinds]
    needed = {convention.W_xh, convention.W_hh, *(convention.biases if biases else ())}
    if missing := sorted(needed - set(kinds)):
        suffix = f"_l{layer}" if layer or convention.source == "PyTorch" else ""
        raise ValueError(
            f"Expected {' and '.join(sorted(needed))} in every layer; {missing[0]}{suffix} is missing, got "
            f"{_listed(kinds.values())}. Save all arrays of the layer."
        )


def _weights(
    convention: Convention, names: Mapping[str, str], arrays: Mapping[str, Array], below: int | None
) -> VanillaWeights:
    """Check the shapes of one layer, and turn its arrays as the cells want them.

    below : units of the layer below, None for the lowest layer.
    """
    W_xh, W_hh = arrays[convention.W_xh], arrays[convention.W_hh]
    input_name, recurrent_name = _told(names[convention.W_xh]), _told(names[convention.W_hh])
    _check_recurrent(W_hh.shape, recurrent_name, convention)
    H = len(W_hh)
    if convention.transposed:
        W_xh, W_hh, wanted = W_xh.T, W_hh.T, f"({H}, I)"
    else:
        wanted = f"(I, {H})"
    if W_xh.ndim != 2 or W_xh.shape[1] != H:
        came = _shape(arrays[convention.W_xh].shape)
        turned = W_xh.ndim == 2 and W_xh.shape[0] == H
        advice = "It looks transposed: save its .T." if turned else "Save both matrices of the same layer."
        raise ValueError(
            f"{input_name} must be {wanted}, as {recurrent_name} has H = {H}; got {came}. {advice}"
        )
    if below is not None and len(W_xh) != below:
        raise ValueError(
            f"{input_name} must read the {below} units of the layer below; it reads {len(W_xh)} inputs. "
            "Save all layers of one network."
        )
    b_h = np.zeros(H)
    for kind in convention.biases:
        if kind in arrays:
            if arrays[kind].shape != (H,):
                raise ValueError(
                    f"{_told(names[kind])} must be ({H},), one number a unit; got "
                    f"{_shape(arrays[kind].shape)}. Save the bias of the same layer."
                )
            b_h = b_h + arrays[kind]
    return VanillaWeights(np.ascontiguousarray(W_xh), np.ascontiguousarray(W_hh), b_h)


def _check_recurrent(shape: tuple[int, ...], name: str, convention: Convention) -> None:
    """Refuse a recurrent matrix that is not square, or too large; say so if it is that of gated cells."""
    if len(shape) == 2 and shape[0] != shape[1]:
        tall, wide = shape if convention.transposed else shape[::-1]
        for many, cell in GATES.items():
            if tall == many * wide:
                raise ValueError(
                    f"{name} must be square, (H, H), as in a simple RNN (Elman network); got "
                    f"{_shape(shape)}, as in {cell}. Its gates need another analysis: save a simple RNN."
                )
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(
            f"{name} must be square, (H, H); got {_shape(shape)}. Save the matrix from state to state."
        )
    if shape[0] > LARGEST_HIDDEN:
        raise ValueError(
            f"{name} may be of {LARGEST_HIDDEN} hidden units; got {shape[0]}. Save a smaller network, or "
            "measure this one with rnnviz in a notebook."
        )


# Words --------------------------------------------------------------------------------------------


def _told(name: str) -> str:
    """Shorten a foreign name to what is safe to show; links.tame would also take its underscores."""
    kept = re.sub(r"[^A-Za-z0-9._/-]", "?", name[:LONGEST_NAME])
    return (kept + ("…" if len(name) > LONGEST_NAME else "")) or "no name"


def _listed(names: Collection[str]) -> str:
    """Return the first few names in one phrase."""
    more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
    return (", ".join(_told(name) for name in list(names)[:NAMES_TOLD]) + more) or "none"


def _shape(shape: tuple[int, ...]) -> str:
    """Return a shape as NumPy writes it, if it is short."""
    return str(shape) if len(shape) <= 3 and all(n < 10**12 for n in shape) else f"{len(shape)} axes"


def _kind(dtype: np.dtype[Any]) -> str:
    """Say what kind of things an array holds."""
    kinds = {"O": "pickled objects", "U": "text", "S": "text", "c": "complex numbers", "b": "true and false"}
    return kinds.get(dtype.kind, f"a type of {dtype.itemsize} bytes" if dtype.kind in "fV" else "no numbers")


def _size(count: int) -> str:
    """Return a number of bytes as text."""
    if count < 100_000:
        return f"{count:,} bytes"
    return f"{math.ceil(count / 1e5) / 10:,g} MB"  # rounded up: what is too large must look so
