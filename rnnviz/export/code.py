"""An experiment as a script of its own: in NumPy with every gradient by hand, or in PyTorch."""

from __future__ import annotations

import json
import re
from typing import Any

from rnnviz.experiment import Experiment
from rnnviz.export.cell_code import CELL_CODE, cell_code
from rnnviz.export.data_code import data_code
from rnnviz.export.pieces import fill, number, used
from rnnviz.export.start_code import start_code
from rnnviz.export.torch_code import torch_code
from rnnviz.model.cells import CELLS
from rnnviz.model.initializers import INITIALIZERS
from rnnviz.model.losses import LOSSES
from rnnviz.model.optimizers import OPTIMIZERS
from rnnviz.tasks import TASKS

SCRIPT = '''\
"""$title.

Shapes: T steps, B sequences, I inputs, H hidden units, O outputs; K steps write. Time comes first.
"""

$imports

# %% Settings
$settings


# %% Data: $task
# $data
$draw


# %% Initial weights: $init
$start


$rest
'''

NUMPY = """\
# %% $cell, forward and back
$helpers
$layer


# %% Loss and gradients
$loss


# %% Training: $optimizer
$training


# %% How much of the error reaches each step?
# $state After training, for 16 other sequences.
x, targets = draw_batch(np.random.default_rng([SEED, 3]), 16)
*_, dL_dstate = loss_and_gradients(weights, x, targets)
curve = norms(dL_dstate).sum(axis=1)  # 1/B is inside, so this is a mean
for t, size in enumerate(curve, start=1):
    print(f"||dL/dh_{t}|| = {size:.3e}")
"""

HELPERS = '''\
def summed(a, b):
    """Sum the products a_t^T b_t over steps and samples: (T, B, M), (T, B, N) -> (M, N)."""
    return np.tensordot(a, b, axes=((0, 1), (0, 1)))


def norms(v):
    """Return Euclidean norms over the last axis, scaled so that no square under- or overflows."""
    largest = np.abs(v).max(axis=-1, keepdims=True)
    scale = np.where(largest > 0, largest, 1)
    return np.linalg.norm(v / scale, axis=-1) * scale[..., 0]


'''

CROSS_ENTROPY = """\
    z = y - y.max(axis=2, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=2, keepdims=True))  # log softmax
    wanted = np.eye(O)[targets]  # one-hot
    loss = -(wanted * log_p).sum(axis=2).mean()  # cross-entropy
    dL_dy = (np.exp(log_p) - wanted) / targets.size"""

SQUARED_ERROR = """\
    error = y - targets
    loss = np.mean(error**2)
    dL_dy = 2 * error / error.size"""

ONE_LAYER = '''\
def loss_and_gradients(weights, x, targets):
    """Return the loss, the outputs y (K, B, O), the gradients of all weights, and dL/dstate."""
    *layer, W_hy, b_y = weights
    $passed = forward(layer, x)
    y = h[FIRST + 1 :] @ W_hy + b_y
$loss
    from_above = np.zeros((T, x.shape[1], H))
    from_above[FIRST:] = dL_dy @ W_hy.T
    gradients, dL_dstate = backward(layer, x, $passed, from_above)
    gradients += [summed(h[FIRST + 1 :], dL_dy), dL_dy.sum(axis=(0, 1))]
    return loss, y, gradients, dL_dstate
'''

LAYERS = '''\
def loss_and_gradients(weights, x, targets):
    """Return the loss, the outputs y (K, B, O), the gradients of all weights, and dL/dstate.

    dL/dstate is that of the top layer.
    """
    *inner, W_hy, b_y = weights
    layers = [inner[i : i + $count] for i in range(0, $count * LAYERS, $count)]
    below, passes = x, []
    for layer in layers:
        $passed = forward(layer, below)
        passes.append((layer, below, $passed))
        below = h[1:]  # the next layer reads these states
    y = h[FIRST + 1 :] @ W_hy + b_y
$loss
    from_above = np.zeros((T, x.shape[1], H))
    from_above[FIRST:] = dL_dy @ W_hy.T
    gradients, errors = [summed(h[FIRST + 1 :], dL_dy), dL_dy.sum(axis=(0, 1))], []
    for one_pass in reversed(passes):
        of_layer, dL_dstate, from_above = backward(*one_pass, from_above)
        gradients, errors = of_layer + gradients, errors + [dL_dstate]
    return loss, y, gradients, errors[0]
'''

TRAINING = """\
rng = np.random.default_rng([SEED, 1])
$moments
losses = []
for n in range(1, UPDATES + 1):
    x, targets = draw_batch(rng, B)
    loss, y, gradients, _ = loss_and_gradients(weights, x, targets)
    losses.append(float(loss))
    if not np.isfinite(loss):
        print(f"update {n}: the loss overflowed")
        break
$clip
$update
    if n % $every == 0 or n == 1:
$report
"""

CLIP = """\
    norm = norms(np.concatenate([g.ravel() for g in gradients]))  # of all gradients together
    if norm >= CLIP_NORM:
        gradients = [CLIP_NORM / norm * g for g in gradients]"""

MOMENTS = {
    "sgd": "",
    "momentum": "velocities = [np.zeros_like(w) for w in weights]",
    "rmsprop": "squares = [np.zeros_like(w) for w in weights]",
    "adam": "means, squares = ([np.zeros_like(w) for w in weights] for _ in range(2))",
}

UPDATE = {
    "sgd": """\
    for w, g in zip(weights, gradients):
        w -= LEARNING_RATE * g""",
    "momentum": """\
    for w, g, v in zip(weights, gradients, velocities):
        v[:] = 0.9 * v + g
        w -= LEARNING_RATE * v""",
    "rmsprop": """\
    for w, g, v in zip(weights, gradients, squares):
        v[:] = 0.9 * v + 0.1 * g**2
        w -= LEARNING_RATE * g / (np.sqrt(v) + 1e-8)""",
    "adam": """\
    for w, g, m, v in zip(weights, gradients, means, squares):
        m[:] = 0.9 * m + 0.1 * g
        v[:] = 0.999 * v + 0.001 * g**2
        w -= LEARNING_RATE * (m / (1 - 0.9**n)) / (np.sqrt(v / (1 - 0.999**n)) + 1e-8)""",
}

REPORTS = {
    "cross-entropy": """\
        accuracy = np.mean(y.argmax(axis=2) == targets)  # on the batch, before the update
        print(f"update {n:5d}   loss {loss:.4g}   accuracy {accuracy:.0%}")""",
    "squared-error": """\
        print(f"update {n:5d}   mean squared error {loss:.4g}")""",
}

STATES = {"lstm": "The state is h and c.", "lru": "The state is h and the memory s."}

SETTINGS = (
    ("SYMBOLS", "symbols", "different symbols"),
    ("NOISE", "noise", "standard deviation of the noise"),
    ("DELAY", "delay", "steps until an echo"),
    ("ITEMS", "items", "symbols to remember"),
    ("JITTER", "jitter", "noise on every input"),
    ("LAYERS", "layers", "recurrent layers, each reading the states of the one below"),
    ("GAIN", "gain", "scales the recurrent matrix"),
    ("LEARNING_RATE", "learning_rate", ""),
    ("CLIP_NORM", "clip_norm", "largest norm of all gradients together"),
    ("TRUNCATE", "truncate", "steps after which the error is cut, counted back from T"),
    ("SEED", "seed", ""),
)
"""Constants of a script, the settings that they hold, and what they mean."""


def numpy_script(e: Experiment, updates: int) -> str:
    """Return a NumPy script that repeats a run: data, initial weights, training, and the gradient's curve.

    It needs nothing but NumPy (and scikit-learn where the data are handwritten digits).

    Raises
    ------
    ValueError
        If there are no updates to make, or the experiment's data are too long to stand in a script.
    """
    code, loss = CELL_CODE[e.cell], _loss_name(e)
    passed = "h, saved" if code.saved else "h"
    lines = CROSS_ENTROPY if loss == "cross-entropy" else SQUARED_ERROR
    template = ONE_LAYER if e.layers == 1 else LAYERS
    rest = fill(
        NUMPY,
        cell=CELLS[e.cell].title,
        helpers=HELPERS.rstrip("\n") + "\n\n",
        layer=cell_code(e).rstrip("\n"),
        loss=fill(template, passed=passed, loss=lines, count=str(len(code.arrays))).rstrip("\n"),
        optimizer=OPTIMIZERS[e.optimizer].title,
        training=_training(e, updates).rstrip("\n"),
        state=STATES.get(e.cell, "The state is h."),
    )
    return _script(e, updates, "every gradient by hand", ["import numpy as np"], rest)


def pytorch_script(e: Experiment, updates: int) -> str:
    """Return a PyTorch script of the same network, with the same initial weights.

    It prints ||dL/dh_t|| of the whole state before training, then trains.

    Raises
    ------
    ValueError
        As ``numpy_script``.
    """
    rest = torch_code(e, _every(updates))
    packages = ["import numpy as np", "import torch", "from torch import nn"]
    return _script(e, updates, "in PyTorch", packages, rest, "torch.set_default_dtype(torch.float64)")


def _script(e: Experiment, updates: int, how: str, packages: list[str], rest: str, set_up: str = "") -> str:
    """Return a whole script; set_up : a line below the imports."""
    if updates < 1:
        raise ValueError(f"updates must be 1 or more; got {updates}.")
    task = TASKS[e.task]
    more, draw = data_code(e)
    start = start_code(e)
    layers = "" if e.layers == 1 else f", {e.layers} layers"
    standard = [more] if "zlib" in more else []
    packages = sorted([*packages, *([more] if more and not standard else [])], key=_in_order)
    groups = ["\n".join(lines) for lines in (standard, packages, [set_up]) if any(lines)]
    return fill(
        SCRIPT,
        title=f"{task.title} with T = {e.seq_len}: {CELLS[e.cell].title}{layers}, {how}",
        imports="\n\n".join(groups),
        settings=_settings(e, updates, draw + start + rest),
        task=task.title,
        data=task.summary,
        draw=draw.rstrip("\n"),
        init=INITIALIZERS[str(e.init)].title,
        start=start.rstrip("\n"),
        rest=rest.rstrip("\n"),
    )


def _in_order(line: str) -> tuple[bool, str]:
    """Return a key that sorts imports: whole modules before names from modules."""
    return line.startswith("from"), line


def _loss_name(e: Experiment) -> str:
    loss = TASKS[e.task].loss
    return next(name for name, known in LOSSES.items() if known is loss)


def _every(updates: int) -> str:
    """Return after how many updates the script reports: some twenty times."""
    return str(max(1, updates // 20))


def _settings(e: Experiment, updates: int, code: str) -> str:
    """Return the constants that the code uses."""
    network = e.network()
    sizes = f"{e.seq_len}, {e.batch_size}, {network.input_size}, {network.hidden_size}, {network.output_size}"
    first = int(e.masks.write_steps[0])
    lines = [f"T, B, I, H, O = {sizes}", f"FIRST = {first}  # the first step that writes, counted from 0"]
    for name, field, meaning in SETTINGS:
        if used(name, code):
            told = f"  # {meaning}" if meaning else ""
            lines.append(f"{name} = {number(getattr(e, field))}{told}")
    return "\n".join([*lines, f"UPDATES = {updates}"])


def _training(e: Experiment, updates: int) -> str:
    return fill(
        TRAINING,
        moments=MOMENTS[e.optimizer],
        clip=CLIP if e.clip_norm is not None else "",
        update=UPDATE[e.optimizer],
        every=_every(updates),
        report=REPORTS[_loss_name(e)],
    )


# ---------------------------------------------------------------- as a notebook


def notebook(script: str, title: str) -> str:
    """Return a script as a Jupyter notebook (nbformat 4.5): a cell for each of its sections.

    A section begins with ``# %% Heading``; comments right below the heading become text.
    """
    docstring, *sections = re.split(r"^# %% ", script, flags=re.MULTILINE)
    about, imports = re.fullmatch(r'"""(.*?)"""\n(.*)', docstring, re.DOTALL).groups()  # type: ignore[union-attr]
    cells = [_markdown(f"# {title}\n\n{about.strip()}"), _code(imports)]
    for section in sections:
        heading, _, code = section.partition("\n")
        lines = code.splitlines()
        told = 0
        while told < len(lines) and lines[told].startswith("# "):
            told += 1
        text = " ".join(line.removeprefix("# ") for line in lines[:told])
        cells += [_markdown(f"## {heading}\n\n{text}".rstrip()), _code("\n".join(lines[told:]))]
    for number_of, cell in enumerate(cells):
        cell["id"] = f"cell-{number_of}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}, "title": title}
    book = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(code: str) -> dict[str, Any]:
    source = code.strip("\n").splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
