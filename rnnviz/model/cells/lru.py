"""The linear recurrent unit with its block (Orvieto et al. 2023, arXiv 2303.06349)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

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
    read : (T, B, H) complex, u_t B. linear : (T, B, H), y_t before GELU.
    """

    memory: Complex
    encoded: Array
    read: Complex
    linear: Array


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
        encoded = (inputs.reshape(T * B, -1) @ weights.W_xh + weights.b).reshape(T, B, H)
        read = (encoded.reshape(T * B, H) @ _side_by_side(weights.B_re, weights.B_im)).reshape(T, B, 2, H)
        read_c = _as_complex(read[:, :, 0], read[:, :, 1])
        memory = np.empty((T + 1, B, H), complex)
        memory[0] = 0.0 if start is None else _as_complex(start[1], start[2])
        np.multiply(read_c, np.exp(weights.gamma), out=memory[1:])
        kept, lambdas = np.empty((B, H), complex), np.tile(weights.eigenvalues, (B, 1))
        for before, state in pairwise(memory):
            np.multiply(before, lambdas, out=kept)
            state += kept
        linear = _real_product(memory[1:], weights.C_re, weights.C_im) + weights.D * encoded
        hidden = workspace.array("hidden", T + 1, B, H)
        hidden[0] = 0.0 if start is None else start[0]
        np.add(encoded, _gelu(linear), out=hidden[1:])
        return LRUTrace(inputs, (hidden, memory.real, memory.imag), memory, encoded, read_c, linear)

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
        dL_dh = workspace.array("dL_dh", T, B, H)
        for error, direct in zip(dL_dh, from_above, strict=True):
            error[...] = 0.0 if direct is None else direct
        dL_dy = dL_dh * _gelu_derivative(trace.linear)
        whole = _into_memory(weights, dL_dy)  # dL/ds_t, for now without the later steps' part
        later, conjugate = np.zeros((T, B, H), complex), np.tile(weights.eigenvalues.conj(), (B, 1))
        for t in reversed(range(T - 1)):
            if t + 1 not in cuts:
                np.multiply(whole[t + 1], conjugate, out=later[t])
                whole[t] += later[t]
        gradient, dL_du = _weights_and_encoded(weights, trace, dL_dh, dL_dy, whole)
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
        dL_dy = dL_dh * _gelu_derivative(trace.linear[t])
        whole = re + 1j * im + _into_memory(weights, dL_dy)
        earlier = whole * weights.eigenvalues.conj()
        into = whole * np.exp(weights.gamma)
        dL_du = dL_dh + dL_dy * weights.D + into.real @ weights.B_re.T + into.imag @ weights.B_im.T
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
    weights: LRUWeights, trace: LRUTrace, dL_dh: Array, dL_dy: Array, whole: Complex
) -> tuple[LRUWeights, Array]:
    """Return the gradient of the weights, and dL/du (T, B, H). whole : dL/ds_t (T, B, H), complex."""
    T, B, H = dL_dy.shape
    scale, lambdas = np.exp(weights.gamma), weights.eigenvalues
    into = whole * scale
    dL_du = dL_dy * weights.D
    dL_du += dL_dh
    dL_du += _real_product(into.conj(), weights.B_re.T, weights.B_im.T)
    by_lambda = np.einsum("tbh,tbh->h", trace.memory[:-1].conj(), whole)  # dL/dlambda
    flat_y, flat_u, memory = (
        dL_dy.reshape(-1, H),
        trace.encoded.reshape(-1, H),
        trace.memory[1:].reshape(-1, H),
    )
    from_read, by_output = flat_u.T @ _parts(into.reshape(-1, H)), _parts(memory).T @ flat_y
    gradient = LRUWeights(
        W_xh=trace.inputs.reshape(T * B, -1).T @ dL_du.reshape(-1, H),
        b=dL_du.sum(axis=(0, 1)),
        nu=-np.exp(weights.nu) * (by_lambda.conj() * lambdas).real,
        theta=-np.exp(weights.theta) * (by_lambda.conj() * lambdas).imag,
        gamma=np.einsum("tbh,tbh->h", trace.read.conj(), into).real,
        B_re=from_read[:, :H],
        B_im=from_read[:, H:],
        C_re=by_output[:H],
        C_im=-by_output[H:],
        D=np.einsum("tbh,tbh->h", dL_dy, trace.encoded),
    )
    return gradient, dL_du


def _into_memory(weights: LRUWeights, dL_dy: Array) -> Complex:
    """Return the part of dL/ds_t that comes through y_t at the same step; same shape as dL/dy, complex."""
    H = len(weights.nu)
    both = dL_dy.reshape(-1, H) @ _side_by_side(weights.C_re.T, -weights.C_im.T)
    return _as_complex(both[:, :H], both[:, H:]).reshape(dL_dy.shape)


def _real_product(values: Complex, re: Array, im: Array) -> Array:
    """Return Re(values (re + i im)) for values (..., H) and matrices (H, H), as one real product."""
    return (_parts(values.reshape(-1, len(re))) @ np.vstack([re, -im])).reshape(values.shape)


def _parts(values: Complex) -> Array:
    """Return the real parts beside the imaginary parts, (n, 2 H), of values (n, H)."""
    return np.hstack([values.real, values.imag])


def _side_by_side(re: Array, im: Array) -> Array:
    return np.hstack([re, im])


def _as_complex(re: Array, im: Array) -> Complex:
    values: Any = np.empty(re.shape, complex)
    values.real, values.imag = re, im
    return np.asarray(values)


def _gelu(y: Array) -> Array:
    return 0.5 * y * (1.0 + np.tanh(GELU_SLOPE * (y + GELU_CUBE * y**3)))


def _gelu_derivative(y: Array) -> Array:
    squared = y * y
    tanh = np.tanh(GELU_SLOPE * y * (1.0 + GELU_CUBE * squared))
    slope = GELU_SLOPE * (1.0 + 3.0 * GELU_CUBE * squared)
    return 0.5 * (1.0 + tanh) + 0.5 * y * (1.0 - tanh * tanh) * slope
