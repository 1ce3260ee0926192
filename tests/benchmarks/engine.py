"""How fast a whole training step is, beside PyTorch's and beside its own gradients and matrix products.

    python -m tests.benchmarks.engine [rounds]

A whole step is one update: draw a batch, forward, backward, norms of the gradient, clip, Adam, history (the
held-out measurement after every 50th update is left out on both sides). PyTorch's is the same in eager
mode: its modules, its clipping and its Adam, on batches from the same source. Every figure is a ratio of
medians of interleaved repeats in one process on one thread, so a machine that is busy slows both sides
alike. Absolute times are printed for orientation only.
"""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from statistics import median
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from threadpoolctl import threadpool_limits

from rnnviz import Batch, Experiment, Params, start
from rnnviz.model.arrays import Array
from rnnviz.model.cells import CELLS, Workspace
from rnnviz.training.history import History
from rnnviz.training.loop import problem_of
from rnnviz.training.state import TrainingState
from rnnviz.training.updates import run_updates

Step = Callable[[], object]
BATCH, CHANNELS = 32, 8  # B; I = O
IN_A_ROW = 10
MEGABYTE = 2**20
TORCH_HINT = "PyTorch is not installed: pip install torch"
AIMS = {("vanilla", 50): 1 / 3, ("vanilla", 100): 1 / 2.5} | {
    (cell, seq_len): 1 / 2 for cell in ("gru", "lstm") for seq_len in (50, 100)
}
"""A whole step of ours over PyTorch's, by cell and T."""


class Setting:
    """Recall at one size: T steps of 8 channels in, one of 8 classes out at the end, cross-entropy."""

    def __init__(self, seq_len: int, hidden_size: int, cell: str = "vanilla") -> None:
        self.experiment = Experiment(
            task="recall", topology="many-to-one", seq_len=seq_len, hidden_size=hidden_size,
            symbols=CHANNELS, batch_size=BATCH, cell=cell,
        )  # fmt: skip
        self.network = self.experiment.network()
        self.params: Params = self.experiment.init(self.experiment.rng("weights"))
        self.batch: Batch = self.experiment.sample(self.experiment.rng("training"))

    def ours(self) -> Step:
        """Loss and gradients alone, in a row like the updates."""
        workspace = Workspace()

        def row() -> None:
            for _ in range(IN_A_ROW):
                self.network.loss_and_gradients(self.params, self.batch, workspace)

        return row

    def updates(self, **replaced: Any) -> Step:
        """Whole updates of a run that has made a thousand, when its history is thinned out."""
        problem = replace(problem_of(self.experiment), measure=lambda params: 0.0, **replaced)
        state: TrainingState = run_updates(problem, start(self.experiment), steps=1000)
        return lambda: run_updates(problem, state, steps=IN_A_ROW)

    def pytorch(self) -> Step:
        """Whole updates of torch.nn's module, eager, float64, from the same weights."""
        import torch

        torch.set_num_threads(1)
        layer, e = self.params.layers[0], self.experiment
        kind = {"vanilla": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[e.cell]
        rnn = kind(CHANNELS, e.hidden_size, dtype=torch.float64)
        readout = torch.nn.Linear(e.hidden_size, CHANNELS, dtype=torch.float64)
        second = np.zeros(len(rnn.bias_hh_l0))
        if e.cell == "gru":
            second[2 * e.hidden_size :] = layer.b_hn
        pairs = [
            (rnn.weight_ih_l0, layer.W_xh.T), (rnn.weight_hh_l0, layer.W_hh.T),
            (rnn.bias_ih_l0, layer.b_h if e.cell == "vanilla" else layer.b), (rnn.bias_hh_l0, second),
            (readout.weight, self.params.W_hy.T), (readout.bias, self.params.b_y),
        ]  # fmt: skip
        with torch.no_grad():
            for theirs, array in pairs:
                theirs.copy_(torch.from_numpy(array.copy()))
        weights = [*rnn.parameters(), *readout.parameters()]
        adam = torch.optim.Adam(weights, lr=e.learning_rate)
        rng = e.rng("training")

        def loss_of(batch: Batch) -> Any:
            hidden, _ = rnn(torch.from_numpy(batch.inputs))
            return torch.nn.functional.cross_entropy(readout(hidden[-1]), torch.from_numpy(batch.targets[-1]))

        def row() -> None:
            for _ in range(IN_A_ROW):
                adam.zero_grad()
                loss_of(e.sample(rng)).backward()
                torch.nn.utils.clip_grad_norm_(weights, e.clip_norm)
                adam.step()

        ours, theirs = self.network.loss_and_gradients(self.params, self.batch), loss_of(self.batch)
        theirs.backward()
        np.testing.assert_allclose(theirs.item(), ours.loss, rtol=1e-10)
        dW_hh = rnn.weight_hh_l0.grad.numpy().T
        np.testing.assert_allclose(dW_hh, ours.gradients.layers[0].W_hh, rtol=1e-8, atol=1e-14)
        return row

    def matmuls(self) -> Step:
        """The matrix products of one step and nothing else, into buffers that exist already."""
        e, rng = self.experiment, np.random.default_rng(0)
        T, B, H = e.seq_len, BATCH, e.hidden_size
        W_xh, W_hh, W_hy = (rng.standard_normal(s) / H for s in ((CHANNELS, H), (H, H), (H, CHANNELS)))
        flat_inputs = self.batch.inputs.reshape(T * B, CHANNELS)
        hidden, dL_da = rng.standard_normal((2, T, B, H))
        flat_hidden, flat_dL_da = hidden.reshape(T * B, H), dL_da.reshape(T * B, H)
        driven, product, output = np.empty((T * B, H)), np.empty((B, H)), np.empty((B, CHANNELS))
        dW_xh, dW_hh, dW_hy = np.empty_like(W_xh), np.empty_like(W_hh), np.empty_like(W_hy)
        W_hh_T, W_hy_T = np.ascontiguousarray(W_hh.T), np.ascontiguousarray(W_hy.T)

        def step() -> None:
            for _ in range(IN_A_ROW):
                once()

        def once() -> None:
            np.dot(flat_inputs, W_xh, out=driven)
            for h_t in hidden:
                np.dot(h_t, W_hh, out=product)
            np.dot(hidden[-1], W_hy, out=output)
            np.dot(output, W_hy_T, out=product)
            for dL_da_t in dL_da[1:]:
                np.dot(dL_da_t, W_hh_T, out=product)
            np.dot(flat_inputs.T, flat_dL_da, out=dW_xh)
            np.dot(flat_hidden.T, flat_dL_da, out=dW_hh)
            np.dot(hidden[-1].T, output, out=dW_hy)

        return step

    def rolling(self) -> Step:
        """Our step with one difference: it keeps no dL/dh_t but the newest."""
        workspace = RollingWorkspace()
        kept, rolled = (
            self.network.loss_and_gradients(self.params, self.batch, w) for w in (None, workspace)
        )
        np.testing.assert_array_equal(rolled.gradients.flat(), kept.gradients.flat())

        def row() -> None:
            for _ in range(IN_A_ROW):
                self.network.loss_and_gradients(self.params, self.batch, workspace)

        return row


class RollingWorkspace(Workspace):
    """Gives dL/dh a single row of memory for all its steps."""

    def layer(self, number: int) -> Workspace:
        return self

    def array(self, name: str, *shape: int) -> Array:
        if not name.startswith("dL_dh"):
            return super().array(name, *shape)
        row = super().array(name, *shape[1:])
        return as_strided(row, shape, (0, *row.strides))


def milliseconds(steps: dict[str, Step], rounds: int) -> dict[str, float]:
    """Median time of each step in ms; they take turns, IN_A_ROW steps each, as training makes them."""
    for step in steps.values():
        step()
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            begin = time.perf_counter()
            step()
            taken[name].append((time.perf_counter() - begin) / IN_A_ROW)
    return {name: 1e3 * median(times) for name, times in taken.items()}


def report(what: str, figure: str, target: str, reached: bool) -> None:
    print(f"{what:<58}{figure:>9}   {target:<10} {'ok' if reached else 'MISSED'}")


def compare_steps(cell: str, seq_len: int, hidden_size: int, rounds: int) -> None:
    """Compare a whole step with PyTorch's, and with its own loss and gradients."""
    setting, size = Setting(seq_len, hidden_size, cell), f"{cell} T={seq_len} H={hidden_size}"
    steps = {
        "step": setting.updates(),
        "step on one batch": setting.updates(sample=lambda rng: setting.batch),
        "gradients": setting.ours(),
    }
    if find_spec("torch"):
        steps["PyTorch"] = setting.pytorch()
    ms = milliseconds(steps, rounds)
    print(f"{size}: " + ", ".join(f"{name} {value:.2f} ms" for name, value in ms.items()))
    if "PyTorch" in ms:
        ratio, aim = ms["step"] / ms["PyTorch"], AIMS[cell, seq_len]
        report(f"{size}: whole step / PyTorch's", f"{ratio:.2f}", f"<= {aim:.2f}", ratio <= aim)
    ratio, undrawn = (ms[name] / ms["gradients"] for name in ("step", "step on one batch"))
    report(f"{size}: whole step / loss and gradients", f"{ratio:.2f}", "<= 1.35", ratio <= 1.35)
    report(f"{size}: the same without drawing batches", f"{undrawn:.2f}", "<= 1.35", undrawn <= 1.35)


def compare_cells(seq_len: int, hidden_size: int, rounds: int) -> None:
    """Compare whole steps of every recurrent cell with those of the LSTM; an LRU's should be the shortest."""
    cells = [name for name, cell in CELLS.items() if cell.recurrent]
    steps = {cell: Setting(seq_len, hidden_size, cell).updates() for cell in cells}
    ms = milliseconds(steps, rounds)
    size = f"T={seq_len} H={hidden_size}"
    print(f"{size}: " + ", ".join(f"{cell} {value:.2f} ms" for cell, value in ms.items()))
    gated = {cell: value for cell, value in ms.items() if cell in ("lstm", "gru", "lru", "mingru")}
    report(f"{size}: LRU / GRU", f"{ms['lru'] / ms['gru']:.2f}", "<= 1.00", ms["lru"] <= ms["gru"])
    fastest = min(gated, key=lambda cell: gated[cell])
    report(f"{size}: the fastest of LSTM, GRU, minGRU, LRU", fastest, "lru", fastest == "lru")


def compare_parts(seq_len: int, hidden_size: int, rounds: int) -> None:
    """Compare loss and gradients with their matmuls alone, and with a pass that keeps no dL/dh_t."""
    setting, size = Setting(seq_len, hidden_size), f"T={seq_len} H={hidden_size}"
    steps = {"gradients": setting.ours(), "matmuls": setting.matmuls(), "rolling": setting.rolling()}
    ms = milliseconds(steps, rounds)
    share = ms["matmuls"] / ms["gradients"]
    report(f"{size}: matmuls alone / loss and gradients", f"{share:.0%}", ">= 40%", share >= 0.4)
    extra = ms["gradients"] / ms["rolling"] - 1.0
    report(f"{size}: keeping every dL/dh_t adds", f"{extra:+.0%}", "<= 10%", extra <= 0.1)


def compare_lengths(rounds: int) -> None:
    ms = milliseconds({"long": Setting(200, 32).ours(), "short": Setting(25, 32).ours()}, rounds)
    ratio = ms["long"] / ms["short"]
    report("H=32: T=200 / T=25", f"{ratio:.1f}", "<= 8.5", ratio <= 8.5)


def measure_history() -> None:
    """Record 100,000 steps at T = 200 without training."""
    history, curve = History(200), np.ones(200)
    begin = time.perf_counter()
    for step in range(100_000):
        history.record((step, 1.0, 1.0, 1.0, 1.0), curve if history.wants_curve(step) else None)
    microseconds = 1e6 * (time.perf_counter() - begin) / 100_000
    size = len(pickle.dumps(history))
    what = f"history after 100,000 steps, pickled ({microseconds:.1f} us a step)"
    report(what, f"{size:,} B", "< 8 MB", size < 8 * MEGABYTE)


def main(rounds: int) -> None:
    if not find_spec("torch"):
        print(TORCH_HINT)
    with threadpool_limits(1):
        for seq_len, hidden_size in ((50, 32), (100, 64)):
            for cell in ("vanilla", "gru", "lstm"):
                compare_steps(cell, seq_len, hidden_size, rounds)
            compare_parts(seq_len, hidden_size, rounds)
            compare_cells(seq_len, hidden_size, rounds)
        compare_lengths(rounds)
    measure_history()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
