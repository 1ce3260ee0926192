"""The linear recurrent unit with its block (Orvieto et al. 2023, arXiv 2303.06349)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rnnviz.model.arrays import Array
from rnnviz.model.cells.base import NO_CUTS, Backward, Cuts, State, StepBack, Trace, Workspace
from rnnviz.model.initializers import Initializer, glorot_uniform

Complex = NDArray[np.complex128]

GELU_SLOPE, GELU_CUBE = float(np.sqrt(2.0 / np.pi)), 0.044715
"""GELU(y) = y (1 + tanh(slope (y + cube y^3))) / 2, the tanh form (Hendrycks & Gimpel 2016)."""


@dataclass(frozen=True, eq=False)
class LRUWeights:
    """One block: a linear layer, the LRU, GELU and a skip connection. Its gradient has the same type.

    Complex matrices are kept as real and imaginary part. nu, theta : the eigenvalues are
    lambda = exp(-exp(nu) + i exp(theta)). gamma : log of the scale of what is read. D : past the memory.
    """

    W_xh: Array  # (I, H)
    b: Array  # (H,)
    nu: Array  # (H,)
    theta: Array  # (H,)
    gamma: Array  # (H,)
    B_re: Array  # (H, H)
    B_im: Array  # (H, H)
    C_re: Array  # (H, H)
    C_im: Array  # (H, H)
    D: Array  # (H,)

    @property
    def eigenvalues(self) -> Complex:
        """lambda, (H,); all inside the unit circle."""
        return np.asarray(np.exp(-np.exp(self.nu) + 1j * np.exp(self.theta)))


@dataclass(frozen=True, eq=False)
class LRUTrace(Trace):
    """Results of a block's forward pass.

    memory : (T + 1, B, H) complex; its parts are the states re and im. encoded : (T, B, H), u_t.
    read : (T, B, H) complex, e^gamma u_t B. linear : (T, B, H), y_t before GELU. bent : (T, B, H), GELU's
    tanh of it.
    """

    memory: Complex
    encoded: Array
    read: Complex
    linear: Array
    bent: Array


@dataclass(frozen=True)
class LRU:
    """h_t = u_t + GELU(Re(s_t C) + D u_t) with s_t = lambda s_{t-1} + e^gamma u_t B and u_t = x_t W_xh + b.

    The memory s_t is complex and linear in time: each of its H elements is multiplied by its own lambda at
    every step. h_t is not fed back.
    """

    title: ClassVar[str] = "LRU"
    gate_names: ClassVar[tuple[str, ...]] = ()
    state: ClassVar[tuple[str, ...]] = ("h", "re", "im")
    parts: ClassVar[dict[str, tuple[int, ...]]] = {"h": (0,), "s": (1, 2)}
    recurrent: ClassVar[bool] = True
    matrices: ClassVar[int] = 0
    inits: ClassVar[tuple[str, ...]] = ("ring", "disk")
    activations: ClassVar[tuple[str, ...]] = ("tanh",)
    built_in: ClassVar[str] = "GELU"

    def init(
        self,
        rng: np.random.Generator,
        input_size: int,
        hidden_size: int,
        recurrent: Initializer,
        gain: float,
        longest: int = 0,
    ) -> LRUWeights:
        """Draw |lambda|^2 uniformly between the squares of ``recurrent.radii``, the rest as in the paper."""
        H, (low, high) = hidden_size, recurrent.radii
        squared = rng.uniform(low**2, high**2, H)
        nu = np.log(-0.5 * np.log(squared))
        theta = np.log(rng.uniform(0.0, 2.0 * np.pi, H))
        B_re, B_im = rng.standard_normal((2, H, H)) / np.sqrt(2.0 * H)
        C_re, C_im = rng.standard_normal((2, H, H)) / np.sqrt(H)
        W_xh, D = glorot_uniform(rng, input_size, H), rng.standard_normal(H)
        gamma = 0.5 * np.log1p(-squared)
        return LRUWeights(W_xh, np.zeros(H), nu, theta, gamma, B_re, B_im, C_re, C_im, D)

    def forward(
        self, weights: LRUWeights, inputs: Array, workspace: Workspace, start: State | None = None
    ) -> LRUTrace:
        """Run the block over ``inputs`` (T, B, I) from the state ``start``, zero if None."""
        (T, B, _), H = inputs.shape, len(weights.nu)
        encoded = workspace.array("encoded", T, B, H)
        np.matmul(inputs.reshape(T * B, -1), weights.W_xh, out=encoded.reshape(T * B, H))
        encoded += np.tile(weights.b, (B, 1))
        read = workspace.array("read", T, B, 2 * H)
        np.matmul(encoded.reshape(T * B, H), _into_read(weights), out=read.reshape(T * B, 2 * H))
        pairs = workspace.array("memory", T + 1, B, 2 * H)  # real and imaginary parts take turns
        memory, read_c = pairs.view(complex), read.view(complex)
        memory[0] = 0.0 if start is None else start[1] + 1j * start[2]
        lambdas = np.tile(weights.eigenvalues, (B, 1))
        for (before, state), read_t in zip(pairwise(memory), read_c, strict=True):
            np.multiply(before, lambdas, out=state)
            state += read_t
        linear, bent = workspace.array("linear", T, B, H), workspace.array("bent", T, B, H)
        hidden = workspace.array("hidden", T + 1, B, H)
        hidden[0] = 0.0 if start is None else start[0]
        np.matmul(pairs[1:].reshape(T * B, -1), _out_of_memory(weights), out=linear.reshape(T * B, H))
        np.multiply(encoded, weights.D, out=hidden[1:])
        linear += hidden[1:]
        _bend(linear, bent)
        np.add(bent, 1.0, out=hidden[1:])
        hidden[1:] *= linear
        hidden[1:] *= 0.5  # GELU
        hidden[1:] += encoded
        return LRUTrace(inputs, (hidden, memory.real, memory.imag), memory, encoded, read_c, linear, bent)

    def backward(
        self,
        weights: LRUWeights,
        trace: LRUTrace,
        from_above: Sequence[Array | None],
        workspace: Workspace,
        wants_inputs: bool = False,
        cuts: Cuts = NO_CUTS,
    ) -> Backward:
        """Backpropagate the error through time; only the memory's own path goes step by step."""
        T, B, H = trace.encoded.shape
        dL_dh, dL_dy = workspace.array("dL_dh", T, B, H), workspace.array("dL_dy", T, B, H)
        for error, direct in zip(dL_dh, from_above, strict=True):
            error[...] = 0.0 if direct is None else direct
        _gelu_derivative(trace.linear, trace.bent, dL_dy)
        dL_dy *= dL_dh
        pairs, kept = workspace.array("dL_ds", T, B, 2 * H), workspace.array("later", T, B, 2 * H)
        np.matmul(dL_dy.reshape(T * B, H), _out_of_memory(weights).T, out=pairs.reshape(T * B, -1))
        whole, later = pairs.view(complex), kept.view(complex)  # dL/ds_t; the part of the later steps in it
        later[-1] = 0.0
        conjugate = np.tile(weights.eigenvalues.conj(), (B, 1))
        for t in reversed(range(T - 1)):
            if t + 1 in cuts:
                later[t] = 0.0
                continue
            np.multiply(whole[t + 1], conjugate, out=later[t])
            whole[t] += later[t]
        gradient, dL_du = _weights_and_encoded(weights, trace, (dL_dh, dL_dy), pairs, workspace)
        inputs = dL_du @ weights.W_xh.T if wants_inputs else None
        return Backward((dL_dh, later.real, later.imag), inputs, gradient)

    def step(self, weights: LRUWeights, x: Array, state: State) -> State:
        """Return the state after one step with input ``x`` (B, I)."""
        u = x @ weights.W_xh + weights.b
        read = u @ weights.B_re + 1j * (u @ weights.B_im)
        s = weights.eigenvalues * (state[1] + 1j * state[2]) + np.exp(weights.gamma) * read
        y = s.real @ weights.C_re - s.imag @ weights.C_im + weights.D * u
        return u + _gelu(y), s.real, s.imag

    def vjp_step(self, weights: LRUWeights, trace: LRUTrace, t: int, errors: State) -> StepBack:
        """Backpropagate through h_t to the memory and the input, and through s_t to s_{t-1}."""
        dL_dh, re, im = errors
        dL_dy = dL_dh * _gelu_derivative(trace.linear[t], trace.bent[t], np.empty_like(trace.bent[t]))
        whole = re + 1j * im + (dL_dy @ _out_of_memory(weights).T).view(complex)
        earlier = whole * weights.eigenvalues.conj()
        dL_du = dL_dh + dL_dy * weights.D + np.ascontiguousarray(whole).view(float) @ _into_read(weights).T
        return StepBack((np.zeros_like(dL_dh), earlier.real, earlier.imag), dL_du, None)

    def recurrent_matrix(self, weights: LRUWeights) -> Array | None:
        """Return None: the matrix that maps memory to memory is complex and diagonal."""
        return None

    def slopes(self, trace: Trace) -> Array | None:
        """Return None: the memory is linear in time."""
        return None

    def gates(self, trace: Trace) -> dict[str, Array]:
        """Return an empty dict: no gates."""
        return {}


def _weights_and_encoded(
    weights: LRUWeights, trace: LRUTrace, errors: tuple[Array, Array], pairs: Array, workspace: Workspace
) -> tuple[LRUWeights, Array]:
    """Return the gradient of the weights, and dL/du (T, B, H).

    errors : dL/dh and dL/dy, (T, B, H) each. pairs : dL/ds (T, B, 2 H), real and imaginary parts in turn.
    """
    (dL_dh, dL_dy), (T, B, H) = errors, errors[0].shape
    whole, ones, lambdas = pairs.view(complex), np.ones(T * B), weights.eigenvalues
    flat_s, flat_y, flat_u = (
        pairs.reshape(T * B, -1),
        dL_dy.reshape(T * B, H),
        trace.encoded.reshape(T * B, H),
    )
    dL_du = workspace.array("dL_du", T, B, H)
    np.matmul(flat_s, _into_read(weights).T, out=dL_du.reshape(T * B, H))
    dL_du += dL_dh
    scratch = workspace.array("scratch", T, B, H)
    np.multiply(dL_dy, weights.D, out=scratch)
    dL_du += scratch
    np.multiply(dL_dy, trace.encoded, out=scratch)
    dL_dD = ones @ scratch.reshape(T * B, H)
    products = workspace.array("products", T, B, 2 * H)
    product = products.view(complex)

    def summed(values: Complex) -> Complex:
        """Sum conj(values) dL/ds over steps and samples, (H,)."""
        np.conjugate(values, out=product)
        np.multiply(product, whole, out=product)
        return np.ascontiguousarray(ones @ products.reshape(T * B, -1)).view(complex)

    by_lambda = summed(trace.memory[:-1]).conj() * lambdas
    from_read = (flat_u.T @ flat_s) * np.repeat(np.exp(weights.gamma), 2)
    by_output = trace.memory[1:].view(float).reshape(T * B, -1).T @ flat_y
    gradient = LRUWeights(
        W_xh=trace.inputs.reshape(T * B, -1).T @ dL_du.reshape(-1, H),
        b=ones @ dL_du.reshape(-1, H),
        nu=-np.exp(weights.nu) * by_lambda.real,
        theta=-np.exp(weights.theta) * by_lambda.imag,
        gamma=summed(trace.read).real,
        B_re=from_read[:, ::2].copy(),
        B_im=from_read[:, 1::2].copy(),
        C_re=by_output[::2].copy(),
        C_im=-by_output[1::2],
        D=dL_dD,
    )
    return gradient, dL_du


def _into_read(weights: LRUWeights) -> Array:
    """Return e^gamma B, (H, 2 H), with the columns of its real and of its imaginary part in turn."""
    both = np.stack([weights.B_re, weights.B_im], axis=-1) * np.exp(weights.gamma)[:, None]
    return both.reshape(len(both), -1)


def _out_of_memory(weights: LRUWeights) -> Array:
    """Return C as (2 H, H): rows that multiply the real and the imaginary parts of the memory, in turn."""
    both = np.stack([weights.C_re, -weights.C_im], axis=1)
    return both.reshape(-1, both.shape[-1])


def _bend(y: Array, out: Array) -> None:
    """Write the tanh in GELU(y) into ``out``."""
    np.multiply(y, y, out=out)
    out *= GELU_CUBE
    out += 1.0
    out *= y
    out *= GELU_SLOPE
    np.tanh(out, out=out)


def _gelu(y: Array) -> Array:
    bent = np.empty_like(y)
    _bend(y, bent)
    return 0.5 * y * (1.0 + bent)


def _gelu_derivative(y: Array, bent: Array, out: Array) -> Array:
    """Write GELU'(y) into ``out``; bent : the tanh in GELU(y)."""
    np.multiply(y, y, out=out)
    out *= 3.0 * GELU_CUBE
    out += 1.0
    out *= y
    out *= 0.5 * GELU_SLOPE
    out *= 1.0 - bent * bent
    out += 0.5
    out += 0.5 * bent
    return out
