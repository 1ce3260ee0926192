"""Code of a layer's forward and backward pass, one piece for each cell.

``forward(layer, x)`` returns h (T + 1, B, H) and, of some cells, what else the way back needs. ``backward``
returns the gradients of the layer's weights, dL/dstate (T, B, ...) of the whole state and, in a network of
several layers, dL/dx.
"""

from __future__ import annotations

from typing import NamedTuple

from rnnviz.experiment import Experiment
from rnnviz.export.pieces import fill

SIGMOID = '''\
def sigmoid(a):
    """Return 1 / (1 + exp(-a)), in a form that does not overflow."""
    return 0.5 * (1 + np.tanh(0.5 * a))


'''

VANILLA = '''\
def forward(layer, x):
    """Return h (T + 1, B, H): h_t = $name(x_t W_xh + h_{t-1} W_hh + b_h), from h_0 = 0."""
    W_xh, W_hh, b_h = layer
    h = np.zeros((T + 1, x.shape[1], H))
    for t in range(T):
        a = x[t] @ W_xh + h[t] @ W_hh + b_h
        h[t + 1] = $phi
    return h


def backward(layer, x, h, from_above):
    """Carry the error back through time; from_above (T, B, H) enters from outside."""
    $matrices = layer
    dL_dh, dL_da = from_above.copy(), np.zeros_like(from_above)
    for t in reversed(range(T)):
        dL_da[t] = dL_dh[t]$slope  # through the activation
        if $goes_on:
            dL_dh[t - 1] += dL_da[t] @ W_hh.T  # one step back in time
    gradients = [summed(x, dL_da), summed(h[:-1], dL_da), dL_da.sum(axis=(0, 1))]
    return gradients, dL_dh$and_inputs
'''

FEED_FORWARD = '''\
def forward(layer, x):
    """Return h (T + 1, B, H): h_t = $name(x_t W_xh + b_h), each step by itself."""
    W_xh, b_h = layer
    h = np.zeros((T + 1, x.shape[1], H))
    a = x @ W_xh + b_h
    h[1:] = $phi
    return h


def backward(layer, x, h, dL_dh):
    """Carry the error dL_dh (T, B, H) to the weights; none goes from step to step."""
$unpacked
    dL_da = dL_dh$slope  # through the activation
    gradients = [summed(x, dL_da), dL_da.sum(axis=(0, 1))]
    return gradients, dL_dh$and_inputs
'''

ANTISYMMETRIC = '''\
def turning(W_hh):
    """Return W_hh - W_hh^T - 0.01 1: it turns the state and hardly shrinks it."""
    return W_hh - W_hh.T - 0.01 * np.eye(H)


def forward(layer, x):
    """Return h (T + 1, B, H): h_t = h_{t-1} + 0.1 s_t, and s_t = tanh(a_t)."""
    W_xh, W_hh, b_h = layer
    h, s = np.zeros((T + 1, x.shape[1], H)), np.zeros((T, x.shape[1], H))
    for t in range(T):
        s[t] = np.tanh(x[t] @ W_xh + h[t] @ turning(W_hh) + b_h)
        h[t + 1] = h[t] + 0.1 * s[t]
    return h, s


def backward(layer, x, h, s, from_above):
    """Carry the error back through time; from_above (T, B, H) enters from outside."""
    $matrices = layer
    dL_dh, dL_da = from_above.copy(), np.zeros_like(from_above)
    for t in reversed(range(T)):
        dL_da[t] = dL_dh[t] * 0.1 * (1 - s[t] ** 2)  # through tanh
        if $goes_on:
            dL_dh[t - 1] += dL_dh[t] + dL_da[t] @ turning(W_hh).T  # around tanh and through it
    dL_dM = summed(h[:-1], dL_da)  # M = W_hh - W_hh^T - 0.01 1
    gradients = [summed(x, dL_da), dL_dM - dL_dM.T, dL_da.sum(axis=(0, 1))]
    return gradients, dL_dh$and_inputs
'''

LSTM = '''\
def forward(layer, x):
    """Return h (T + 1, B, H), the cell states c and the gates.

    c_t = f c_{t-1} + i g and h_t = o tanh(c_t), with i, f, o = sigmoid(a) and g = tanh(a).
    """
    W_xh, W_hh, b = layer  # the gates side by side: i, f, g, o
    h, c = np.zeros((2, T + 1, x.shape[1], H))
    gates = np.zeros((T, 4, x.shape[1], H))
    for t in range(T):
        a_i, a_f, a_g, a_o = np.split(x[t] @ W_xh + h[t] @ W_hh + b, 4, axis=1)
        i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
        c[t + 1] = f * c[t] + i * g
        h[t + 1] = o * np.tanh(c[t + 1])
        gates[t] = i, f, g, o
    return h, (c, gates)


def backward(layer, x, h, saved, from_above):
    """Carry the errors of h and c back through time; from_above (T, B, H) enters at h."""
    $matrices = layer
    c, gates = saved
    dL_dh, dL_dc = from_above.copy(), np.zeros_like(from_above)
    dL_da = np.zeros((*dL_dh.shape[:2], 4 * H))
    for t in reversed(range(T)):
        (i, f, g, o), tanh_c = gates[t], np.tanh(c[t + 1])
        into_c = dL_dc[t] + dL_dh[t] * o * (1 - tanh_c**2)  # by way of c_{t+1} and of h_t
        into_i = into_c * g * i * (1 - i)
        into_f = into_c * c[t] * f * (1 - f)
        into_g = into_c * i * (1 - g**2)
        into_o = dL_dh[t] * tanh_c * o * (1 - o)
        dL_da[t] = np.hstack([into_i, into_f, into_g, into_o])
        if $goes_on:
            dL_dh[t - 1] += dL_da[t] @ W_hh.T  # one step back in time, through the gates
            dL_dc[t - 1] = into_c * f  # and along the cell state
    gradients = [summed(x, dL_da), summed(h[:-1], dL_da), dL_da.sum(axis=(0, 1))]
    return gradients, np.concatenate([dL_dh, dL_dc], axis=2)$and_inputs
'''

GRU = '''\
def forward(layer, x):
    """Return h (T + 1, B, H) and the gates: h_t = (1 - z) n + z h_{t-1}.

    r, z = sigmoid(a) and n = tanh(x_t W_n + b_n + r (h_{t-1} U_n + b_hn)).
    """
    W_xh, W_hh, b, b_hn = layer  # the gates side by side: r, z, n
    h, gates = np.zeros((T + 1, x.shape[1], H)), np.zeros((T, 4, x.shape[1], H))
    for t in range(T):
        x_r, x_z, x_n = np.split(x[t] @ W_xh + b, 3, axis=1)
        h_r, h_z, h_n = np.split(h[t] @ W_hh, 3, axis=1)
        r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
        n = np.tanh(x_n + r * (h_n + b_hn))
        h[t + 1] = (1 - z) * n + z * h[t]
        gates[t] = r, z, n, h_n + b_hn
    return h, gates


def backward(layer, x, h, gates, from_above):
    """Carry the error back through time; from_above (T, B, H) enters from outside."""
    $matrices = layer
    dL_dh = from_above.copy()
    into_x, into_h = np.zeros((2, *dL_dh.shape[:2], 3 * H))  # dL/d(x_t W_xh), dL/d(h_{t-1} W_hh)
    for t in reversed(range(T)):
        r, z, n, product = gates[t]
        into_n = dL_dh[t] * (1 - z) * (1 - n**2)
        into_z = dL_dh[t] * (h[t] - n) * z * (1 - z)
        into_r = into_n * product * r * (1 - r)
        into_x[t] = np.hstack([into_r, into_z, into_n])
        into_h[t] = np.hstack([into_r, into_z, into_n * r])
        if $goes_on:
            dL_dh[t - 1] += dL_dh[t] * z + into_h[t] @ W_hh.T  # past the gates and through them
    biases = [into_x.sum(axis=(0, 1)), into_h[:, :, 2 * H :].sum(axis=(0, 1))]
    return [summed(x, into_x), summed(h[:-1], into_h), *biases], dL_dh$and_inputs
'''

MIN_GRU = '''\
def forward(layer, x):
    """Return h (T + 1, B, H) and the gates: h_t = (1 - z) h_{t-1} + z n.

    z = sigmoid(a) and n = a see the input alone, each with its own weights.
    """
    W_xh, b = layer  # side by side: z, n
    a_z, n = np.split(x @ W_xh + b, 2, axis=2)
    z, h = sigmoid(a_z), np.zeros((T + 1, x.shape[1], H))
    for t in range(T):
        h[t + 1] = (1 - z[t]) * h[t] + z[t] * n[t]
    return h, (z, n)


def backward(layer, x, h, gates, from_above):
    """Carry the error back through time; from_above (T, B, H) enters from outside."""
$unpacked
    (z, n), dL_dh = gates, from_above.copy()
    for t in reversed(range(T)):
        if $goes_on:
            dL_dh[t - 1] += dL_dh[t] * (1 - z[t])  # one step back in time
    into_z = dL_dh * (n - h[:-1]) * z * (1 - z)
    dL_da = np.concatenate([into_z, dL_dh * z], axis=2)
    return [summed(x, dL_da), dL_da.sum(axis=(0, 1))], dL_dh$and_inputs
'''

LRU = '''\
GELU_SLOPE, GELU_CUBE = np.sqrt(2 / np.pi), 0.044715


def complex_parts(layer):
    """Return the eigenvalues (H,), the matrix that reads (H, H) and the one that writes (H, H)."""
    _, _, nu, theta, gamma, B_re, B_im, C_re, C_im, _ = layer
    eigenvalues = np.exp(-np.exp(nu) + 1j * np.exp(theta))
    return eigenvalues, np.exp(gamma) * (B_re + 1j * B_im), C_re + 1j * C_im


def forward(layer, x):
    """Return h (T + 1, B, H), and the input u, the memory s and the output y of the recurrence.

    s_t = lambda s_{t-1} + u_t B, y_t = Re(s_t C) + D u_t and h_t = u_t + GELU(y_t).
    """
    W_xh, b, *_, D = layer
    eigenvalues, B_read, C = complex_parts(layer)
    h, s = np.zeros((T + 1, x.shape[1], H)), np.zeros((T + 1, x.shape[1], H), complex)
    u = x @ W_xh + b
    for t in range(T):
        s[t + 1] = eigenvalues * s[t] + u[t] @ B_read
    y = (s[1:] @ C).real + D * u
    h[1:] = u + 0.5 * y * (1 + np.tanh(GELU_SLOPE * (y + GELU_CUBE * y**3)))
    return h, (u, s, y)


def backward(layer, x, h, saved, dL_dh):
    """Carry the error dL_dh (T, B, H) to the weights; only the memory goes from step to step.

    dL/ds stands for dL/dRe(s) + i dL/dIm(s).
    """
    $first, _, nu, theta, _, _, _, _, _, D = layer
    (u, s, y), (eigenvalues, B_read, C) = saved, complex_parts(layer)
    tanh = np.tanh(GELU_SLOPE * (y + GELU_CUBE * y**3))
    slope = 0.5 * (1 + tanh + y * (1 - tanh**2) * GELU_SLOPE * (1 + 3 * GELU_CUBE * y**2))
    dL_dy = dL_dh * slope
    later = np.zeros_like(s[1:])  # the part of dL/ds_t that comes from the steps after t
    dL_ds = dL_dy @ C.conj().T
    for t in reversed(range(T)):
        dL_ds[t] += later[t]
        if $goes_on:
            later[t - 1] = dL_ds[t] * eigenvalues.conj()  # one step back in time
    dL_du = dL_dh + D * dL_dy + (dL_ds @ B_read.conj().T).real
    by_eigenvalue = eigenvalues * (s[:-1] * dL_ds.conj()).sum(axis=(0, 1))
    by_read = summed(u, dL_ds) * np.exp(layer[4])  # layer[4] is gamma
    gradients = [
        summed(x, dL_du),
        dL_du.sum(axis=(0, 1)),
        -np.exp(nu) * by_eigenvalue.real,
        -np.exp(theta) * by_eigenvalue.imag,
        ((u @ B_read).conj() * dL_ds).real.sum(axis=(0, 1)),
        by_read.real,
        by_read.imag,
        summed(s[1:].real, dL_dy),
        -summed(s[1:].imag, dL_dy),
        (dL_dy * u).sum(axis=(0, 1)),
    ]
    dL_dstate = np.concatenate([dL_dh, later.real, later.imag], axis=2)
    return gradients, dL_dstate$and_inputs
'''


class CellCode(NamedTuple):
    """The code of a cell.

    template : its two functions. arrays : names of a layer's weights. saved : whether ``forward`` returns
    more than h. into_input : the name of dL/d(x_t W_xh) in ``backward``. sigmoid : whether it calls that.
    """

    template: str
    arrays: tuple[str, ...]
    saved: bool
    into_input: str = "dL_da"
    sigmoid: bool = False


CELL_CODE = {
    "vanilla": CellCode(VANILLA, ("W_xh", "W_hh", "b_h"), saved=False),
    "irnn": CellCode(VANILLA, ("W_xh", "W_hh", "b_h"), saved=False),
    "antisymmetric": CellCode(ANTISYMMETRIC, ("W_xh", "W_hh", "b_h"), saved=True),
    "lstm": CellCode(LSTM, ("W_xh", "W_hh", "b"), saved=True, sigmoid=True),
    "gru": CellCode(GRU, ("W_xh", "W_hh", "b", "b_hn"), saved=True, into_input="into_x", sigmoid=True),
    "mingru": CellCode(MIN_GRU, ("W_xh", "b"), saved=True, sigmoid=True),
    "lru": CellCode(
        LRU,
        ("W_xh", "b", "nu", "theta", "gamma", "B_re", "B_im", "C_re", "C_im", "D"),
        saved=True,
        into_input="dL_du",
    ),
    "feed-forward": CellCode(FEED_FORWARD, ("W_xh", "b_h"), saved=False),
}

PHI = {
    "tanh": "np.tanh(a)",
    "relu": "np.maximum(a, 0)",
    "sigmoid": "sigmoid(a)",
    "linear": "a",
}

SLOPE = {
    "tanh": " * (1 - {h} ** 2)",
    "relu": " * ({h} > 0)",
    "sigmoid": " * {h} * (1 - {h})",
    "linear": "",
}
"""The derivative of each activation, as a factor in terms of h = phi(a)."""


def cell_code(e: Experiment) -> str:
    """Return the functions ``forward`` and ``backward`` of one layer."""
    code, several = CELL_CODE[e.cell], e.layers > 1
    own = e.cell in ("vanilla", "irnn", "feed-forward")
    state = "h[1:]" if e.cell == "feed-forward" else "h[t + 1]"
    rest = ["_"] * (len(code.arrays) - 2)
    parts = {
        "name": "" if e.activation == "linear" else e.activation,
        "phi": PHI[e.activation],
        "slope": SLOPE[e.activation].format(h=state),
        "goes_on": goes_on(e),
        "and_inputs": f", {code.into_input} @ W_xh.T" if several else "",
        "matrices": ", ".join(["W_xh" if several else "_", "W_hh", *rest]),
        "unpacked": "    W_xh, _ = layer" if several else "",
        "first": "W_xh" if several else "_",
    }
    wants_sigmoid = code.sigmoid or (own and e.activation == "sigmoid")
    return SIGMOID * wants_sigmoid + fill(code.template, **parts)


def goes_on(e: Experiment) -> str:
    """Return the condition under which an error goes from step t (counted from 0) to the step before."""
    return "t > 0" if e.truncate is None else "t > 0 and (T - t) % TRUNCATE"
