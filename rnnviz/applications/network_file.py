"""A trained recurrent network as an .npz file: read safely, and written.

A file comes from a stranger. Nothing in it is ever unpickled, nothing is unpacked beyond ``LARGEST_FILE``,
and an array is only made once its header agrees with the bytes that are really there.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.analysis.uploaded_network import UploadedNetwork
from rnnviz.applications.archive import (
    BROKEN_ZIP,
    kind_told,
    npy_header,
    shape_told,
    size_told,
    told,
    unpacked,
)
from rnnviz.model.arrays import Array
from rnnviz.model.cells import GRUWeights, LayerWeights, LSTMWeights, VanillaWeights

LARGEST_FILE = 2_000_000
"""Bytes, packed and unpacked: in single precision 700 hidden units of a simple RNN, 350 of an LSTM."""

MOST_ENTRIES = 64
"""Arrays in a file: eight layers need at most 32."""

LARGEST_HIDDEN, MOST_LAYERS, MOST_GATED_LAYERS = 700, 8, 3
"""What is analysed in a few seconds, and in a few hundred MB."""

LARGEST_WEIGHT = 1e30
"""A weight beyond this is no weight any more; its products overflow."""

NAMES_TOLD = 4
"""How many foreign names are told."""

SAVE = 'Save it with np.savez("network.npz", W_xh=W_xh, W_hh=W_hh, b_h=b_h).'
SAVE_STATE_DICT = (
    'Save it with np.savez("network.npz", **{k: v.numpy() for k, v in model.rnn.state_dict().items()}).'
)

_FOREIGN_FILES = (
    (b"\x93NUMPY", "a single array (.npy)", SAVE),
    (b"\x89HDF\r\n", "an HDF5 file (.h5)", SAVE),
    (
        b"\x80",
        "a pickle (.pt, .pth or .pkl), which could run any program when it is opened",
        SAVE_STATE_DICT,
    ),
)
"""How files begin that come instead of an .npz, what they are, and what to do."""

_FOREIGN_MEMBERS = (
    ("data.pkl", "a PyTorch file (.pt or .pth), which holds pickled objects", SAVE_STATE_DICT),
    ("model.weights.h5", "a Keras file (.keras)", SAVE),
)
"""Members by which a zip file shows that it is no .npz, what it is, and what to do."""


@dataclass(frozen=True)
class Convention:
    """How one library calls the arrays of a recurrent layer.

    biases : their names; they are added up, except for a GRU's b_hn. pattern : what matches a name, with the
    groups prefix, kind, layer and reverse. transposed : whether matrices act from the left, (H, I) and
    (H, H). gated : whether LSTMs and GRUs are understood, with gates in PyTorch's order.
    """

    source: str
    W_xh: str
    W_hh: str
    biases: tuple[str, ...]
    pattern: re.Pattern[str]
    transposed: bool = False
    gated: bool = False

    def parts(self, name: str) -> re.Match[str] | None:
        """Take a name apart; None if it is not of this convention."""
        return self.pattern.fullmatch(name)


def _pattern(kinds: str, prefix: str = "", layer: str = r"(?:_l(?P<layer>[0-9]{1,2}))?") -> re.Pattern[str]:
    return re.compile(f"(?P<prefix>{prefix})(?P<kind>{kinds}){layer}(?P<reverse>(?:_reverse)?)", re.DOTALL)


PROJECTION = "weight_hr"
"""PyTorch's name of the matrix by which an LSTM with proj_size makes its states smaller."""

CONVENTIONS = (
    Convention("rnnviz names", "W_xh", "W_hh", ("b_h",), _pattern("W_xh|W_hh|b_h")),
    Convention(
        "PyTorch",
        "weight_ih",
        "weight_hh",
        ("bias_ih", "bias_hh"),
        _pattern(f"(?:weight|bias)_[ih]h|{PROJECTION}", prefix=r"(?:.*\.)?"),
        transposed=True,
        gated=True,
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

CELLS_BY_BLOCKS = {1: "a simple RNN", 3: "a GRU", 4: "an LSTM"}
"""Cells by the number of square matrices in their W_hh."""


# Reading ------------------------------------------------------------------------------------------


def read_network(data: bytes) -> UploadedNetwork:
    """Read the weights of a recurrent network from the bytes of an .npz file.

    Understood are, with shapes:

    - ``W_xh`` (I, H), ``W_hh`` (H, H), ``b_h`` (H,), further layers with ``_l1``, ``_l2`` behind;
    - the state dict of a PyTorch ``nn.RNN``, ``nn.LSTM`` or ``nn.GRU``: ``weight_ih_l0`` (G H, I),
      ``weight_hh_l0`` (G H, H), ``bias_ih_l0`` and ``bias_hh_l0`` (G H,), further layers with ``_l1``,
      ``_l2``, a prefix such as ``rnn.`` allowed. G tells the cell: 1, 4 (gates i, f, g, o) or 3 (r, z, n);
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
        layers: list[LayerWeights] = []
        for names in found:
            arrays = {kind: _array(archive, members[name], name) for kind, name in names.items()}
            layers.append(_weights(convention, names, arrays))
            _check_stack(layers, len(found), told(names[convention.W_xh]))
    used = {name for names in found for name in names.values()}
    ignored = tuple(told(name) for name in members if name not in used)
    return UploadedNetwork(tuple(layers), convention.source, ignored)


def save_network(network: UploadedNetwork) -> bytes:
    """Return the bytes of an .npz file that ``read_network`` reads.

    The names are W_xh, W_hh and b_h; of an LSTM or a GRU those of PyTorch's state dict.
    """
    arrays = {
        f"{name}_l{i}" if i or network.gated else name: array
        for i, layer in enumerate(network.layers)
        for name, array in _named(layer).items()
    }
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    return packed.getvalue()


def _named(layer: LayerWeights) -> dict[str, Array]:
    """Return a layer's arrays by the names under which they are saved."""
    if isinstance(layer, VanillaWeights):
        return {"W_xh": layer.W_xh, "W_hh": layer.W_hh, "b_h": layer.b_h}
    second = np.zeros_like(layer.b)
    if isinstance(layer, GRUWeights):
        second[-len(layer.b_hn) :] = layer.b_hn
    return {
        "weight_ih": layer.W_xh.T,
        "weight_hh": layer.W_hh.T,
        "bias_ih": layer.b,
        "bias_hh": second,
    }


def _opened(data: bytes) -> zipfile.ZipFile:
    """Open a file as what an .npz is, a zip archive."""
    if len(data) > LARGEST_FILE:
        raise ValueError(
            f"The file may have {size_told(LARGEST_FILE)}; got {size_told(len(data))}. "
            "Save only the recurrent layer, in single precision."
        )
    for start, what, advice in _FOREIGN_FILES:
        if data.startswith(start):
            raise ValueError(f"Expected an .npz file; got {what}. {advice}")
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except BROKEN_ZIP:
        came = "an empty file" if not data else f"{size_told(len(data))} that are no complete zip archive"
        raise ValueError(f"Expected an .npz file; got {came}. {SAVE}") from None


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the arrays of an archive by name, unopened; what it says of itself must be within bounds."""
    infos = archive.infolist()
    if len(infos) > MOST_ENTRIES:
        raise ValueError(
            f"The file may hold {MOST_ENTRIES} arrays; got {len(infos)}. Save only the recurrent layer."
        )
    for ending, what, advice in _FOREIGN_MEMBERS:
        if any(info.filename.endswith(ending) for info in infos):
            raise ValueError(f"Expected an .npz file; got {what}. {advice}")
    whole = sum(info.file_size for info in infos)
    if whole > LARGEST_FILE:
        raise ValueError(
            f"Unpacked, the arrays may have {size_told(LARGEST_FILE)}; got {size_told(whole)}. "
            "Save only the recurrent layer, in single precision."
        )
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename.removesuffix(".npy")
        if name in members:
            raise ValueError(f"Every name must be there once; got {told(name)} twice. Save the file again.")
        members[name] = info
    return members


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Array:
    """Read one array of plain numbers as float64; it is made only if its header tells the truth."""
    return _numbers(unpacked(archive, info, name, SAVE), name)


def _numbers(raw: bytes, name: str) -> Array:
    """Turn the bytes of an .npy file into float64."""
    shape, fortran_order, dtype, start = npy_header(raw, name, SAVE)
    if dtype.kind not in "fiu" or dtype.itemsize > 8:
        raise ValueError(
            f"{told(name)} must hold plain numbers (float64, float32, float16 or integers); "
            f"got {kind_told(dtype)}. Convert it, for example with .astype(np.float32)."
        )
    count = math.prod(shape)
    there, claimed = len(raw) - start, count * dtype.itemsize
    if claimed != there:
        raise ValueError(
            f"{told(name)} must have the size that its header tells, {shape_told(shape)}; got {there} bytes "
            "of data. Save it again."
        )
    if not count:
        raise ValueError(
            f"{told(name)} must not be empty; got shape {shape_told(shape)}. Save a trained network."
        )
    with np.errstate(invalid="ignore"):  # a signalling NaN would warn
        flat = np.frombuffer(raw, dtype, count, start).astype(np.float64)
    values: Array = flat.reshape(shape, order="F" if fortran_order else "C")
    if not np.isfinite(values).all():
        raise ValueError(
            f"{told(name)} must hold finite numbers; got NaN or inf. "
            "Save the network from before it diverged."
        )
    largest = float(np.abs(values).max())
    if largest > LARGEST_WEIGHT:
        raise ValueError(
            f"{told(name)} must hold weights below {LARGEST_WEIGHT:g}; got {largest:.0e}. "
            "Save the network from before it diverged."
        )
    return values


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
        "Expected arrays named W_xh, W_hh and b_h, the state dict of a PyTorch nn.RNN, nn.LSTM or nn.GRU, or "
        f"kernel, recurrent_kernel and bias of a Keras SimpleRNN; got {_listed(names)}. {SAVE}"
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
                f"Expected a network that reads in one direction; got a bidirectional one ({told(name)}). "
                "Save one direction of its lowest layer: only the names that end in _l0."
            )
        if kind == PROJECTION:
            raise ValueError(
                f"Expected an LSTM without proj_size; got one with a projection ({told(name)}). "
                "Save a network that was trained without it."
            )
        if kind in by_layer.setdefault(layer, {}):
            raise ValueError(
                f"Every array must be there once; got {told(by_layer[layer][kind])} and {told(name)}. "
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


def _weights(convention: Convention, names: Mapping[str, str], arrays: Mapping[str, Array]) -> LayerWeights:
    """Check the shapes of one layer, and turn its arrays as the cells want them."""
    W_xh, W_hh = arrays[convention.W_xh], arrays[convention.W_hh]
    input_name, recurrent_name = told(names[convention.W_xh]), told(names[convention.W_hh])
    if convention.transposed:
        W_xh, W_hh = W_xh.T, W_hh.T
    blocks = _blocks(arrays[convention.W_hh].shape, recurrent_name, convention)
    H, width = W_hh.shape
    if W_xh.ndim != 2 or W_xh.shape[1] != width:
        wanted = f"({width}, I)" if convention.transposed else f"(I, {width})"
        reason = f"{recurrent_name} has H = {H}" if blocks == 1 else f"{recurrent_name} is {_of(blocks, H)}"
        turned = W_xh.ndim == 2 and W_xh.shape[0] == width
        advice = "It looks transposed: save its .T." if turned else "Save both matrices of the same layer."
        came = shape_told(arrays[convention.W_xh].shape)
        raise ValueError(f"{input_name} must be {wanted}, as {reason}; got {came}. {advice}")
    biases = [np.zeros(width) for _ in convention.biases]
    for i, kind in enumerate(convention.biases):
        if kind in arrays:
            if arrays[kind].shape != (width,):
                each = "one number a unit" if blocks == 1 else f"{blocks} numbers a unit"
                raise ValueError(
                    f"{told(names[kind])} must be ({width},), {each}; got "
                    f"{shape_told(arrays[kind].shape)}. Save the bias of the same layer."
                )
            biases[i] = arrays[kind]
    return _layer(blocks, np.ascontiguousarray(W_xh), np.ascontiguousarray(W_hh), biases)


def _layer(blocks: int, W_xh: Array, W_hh: Array, biases: Sequence[Array]) -> LayerWeights:
    """Return a layer's weights: all biases added up, except for b_hn, which a GRU's reset gate multiplies."""
    if blocks == 3:
        H, (first, second) = len(W_hh), biases
        outside = np.concatenate([second[: 2 * H], np.zeros(H)])
        return GRUWeights(W_xh, W_hh, first + outside, second[2 * H :].copy())
    kind = LSTMWeights if blocks == 4 else VanillaWeights
    return kind(W_xh, W_hh, np.sum(biases, axis=0))


def _blocks(shape: tuple[int, ...], name: str, convention: Convention) -> int:
    """Return how many square matrices (H, H) a recurrent matrix is made of; refuse any other shape."""
    tall, wide = (shape if convention.transposed else shape[::-1]) if len(shape) == 2 else (0, 1)
    blocks = tall // wide if tall % wide == 0 else 0
    if blocks not in CELLS_BY_BLOCKS:
        wanted = "(H, H), (3 H, H) or (4 H, H), as of an RNN, a GRU or an LSTM"
        raise ValueError(
            f"{name} must be {wanted if convention.gated else 'square, (H, H)'}; got {shape_told(shape)}. "
            "Save the matrix from state to state."
        )
    if blocks > 1 and not convention.gated:
        raise ValueError(
            f"{name} must be square, (H, H), as in a simple RNN (Elman network); got {shape_told(shape)}, as "
            f"in {CELLS_BY_BLOCKS[blocks]}. Of gated cells only PyTorch's state dicts are read: save one."
        )
    if wide > LARGEST_HIDDEN:
        raise ValueError(
            f"{name} may be of {LARGEST_HIDDEN} hidden units; got {wide}. Save a smaller network, or "
            "measure this one with rnnviz in a notebook."
        )
    return blocks


def _check_stack(layers: Sequence[LayerWeights], depth: int, input_name: str) -> None:
    """Refuse a newest layer that does not fit on the ones below, or too many of a gated cell.

    depth : of the whole network. input_name : that of the newest layer's input matrix.
    """
    newest = layers[-1]
    if depth > MOST_GATED_LAYERS and not isinstance(newest, VanillaWeights):
        raise ValueError(
            f"An LSTM or a GRU may have {MOST_GATED_LAYERS} layers; got {depth}. Save the lowest ones."
        )
    if len(layers) == 1:
        return
    below = layers[-2]
    if type(newest) is not type(below):
        raise ValueError(
            f"Expected the same cell in all layers; {input_name} is of {_cell(newest)}, the layer below of "
            f"{_cell(below)}. Save all layers of one network."
        )
    if len(newest.W_xh) != len(below.W_hh):
        raise ValueError(
            f"{input_name} must read the {len(below.W_hh)} units of the layer below; it reads "
            f"{len(newest.W_xh)} inputs. Save all layers of one network."
        )


# Words --------------------------------------------------------------------------------------------


def _listed(names: Collection[str]) -> str:
    """Return the first few names in one phrase."""
    more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
    return (", ".join(told(name) for name in list(names)[:NAMES_TOLD]) + more) or "none"


def _of(blocks: int, H: int) -> str:
    """Say whose recurrent matrix one of so many blocks is."""
    return f"that of {CELLS_BY_BLOCKS[blocks]} with H = {H}"


def _cell(layer: LayerWeights) -> str:
    """Say what cell a layer is of."""
    H, width = layer.W_hh.shape
    return CELLS_BY_BLOCKS[width // H]
