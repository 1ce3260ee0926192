"""Code that draws the initial weights, with the numbers that ``Experiment.init`` draws."""

from __future__ import annotations

from rnnviz.experiment import Experiment
from rnnviz.export.pieces import fill
from rnnviz.model.initializers import INITIALIZERS, MATRICES

GLOROT = '''\
def glorot(rng, rows, columns):
    """Draw U(-a, a) with a = sqrt(6 / (rows + columns)) (Glorot & Bengio 2010)."""
    a = np.sqrt(6 / (rows + columns))
    return rng.uniform(-a, a, (rows, columns))
'''

ORTHOGONAL = '''\


def orthogonal(rng, n):
    """Draw a random orthogonal matrix (n, n): all its singular values are 1."""
    Q, R = np.linalg.qr(rng.standard_normal((n, n)))
    return Q * np.sign(np.diag(R))
'''

RECURRENT = {
    "small-normal": "rng.normal(0, 0.01, (H, H))",
    "glorot": "glorot(rng, H, H)",
    "he": "rng.normal(0, np.sqrt(2 / H), (H, H))",
    "pytorch": "rng.uniform(-1, 1, (H, H)) / np.sqrt(H)",
    "orthogonal": "GAIN * orthogonal(rng, H)",
    "identity": "GAIN * np.eye(H)",
    "scaled-gaussian": "rng.normal(0, GAIN / np.sqrt(H), (H, H))",
}
"""How a recurrent matrix (H, H) is drawn."""

LAYER = '''\


def draw_layer(rng, inputs):
    """Draw the weights of one layer."""
$body


rng = np.random.default_rng([SEED, 0])  # each purpose has a generator of its own
$whole
'''

VANILLA = """\
    W_xh = glorot(rng, inputs, H)
    W_hh = $recurrent
    return [W_xh, W_hh, np.zeros(H)]  # b_h = 0
"""

FEED_FORWARD = """\
    W_xh = glorot(rng, inputs, H)
$drawn
    return [W_xh, np.zeros(H)]  # b_h = 0
"""

GATES = """\
    W_xh = np.hstack([glorot(rng, inputs, H) for _ in range($gates)])
    W_hh = np.hstack([$recurrent for _ in range($gates)])
    return [W_xh, W_hh, $biases]
"""

UNIFORM_GATES = """\
    a = 1 / np.sqrt(H)
    W_xh = rng.uniform(-a, a, (inputs, $gates * H))
    W_hh = rng.uniform(-a, a, (H, $gates * H))
$biases
"""

BIASES = {
    ("lstm", "pytorch"): """\
    b = rng.uniform(-a, a, 4 * H) + rng.uniform(-a, a, 4 * H)  # PyTorch has two
    return [W_xh, W_hh, b]""",
    ("lstm", "forget-1"): """\
    b = rng.uniform(-a, a, 4 * H) + rng.uniform(-a, a, 4 * H)  # PyTorch has two
    b[H : 2 * H] = 1  # the forget gate is open
    return [W_xh, W_hh, b]""",
    ("lstm", "chrono"): """\
    b = np.zeros(4 * H)
    b[H : 2 * H] = np.log(rng.uniform(1, max(1, T - 1), H))  # forget within 1 to T steps
    b[:H] = -b[H : 2 * H]
    return [W_xh, W_hh, b]""",
    ("gru", "pytorch"): """\
    b, b_h = rng.uniform(-a, a, 3 * H), rng.uniform(-a, a, 3 * H)
    b[: 2 * H] += b_h[: 2 * H]  # for r and z the two are one
    return [W_xh, W_hh, b, b_h[2 * H :]]""",
    ("gru", "chrono"): """\
    b = np.zeros(3 * H)
    b[H : 2 * H] = np.log(rng.uniform(1, max(1, T - 1), H))  # keep for 1 to T steps
    return [W_xh, W_hh, b, np.zeros(H)]""",
}

MIN_GRU = {
    "glorot": """\
    W_xh = np.hstack([glorot(rng, inputs, H) for _ in range(2)])
    return [W_xh, np.zeros(2 * H)]
""",
    "pytorch": """\
    W_xh = rng.uniform(-1, 1, (inputs, 2 * H)) / np.sqrt(inputs)
    return [W_xh, rng.uniform(-1, 1, 2 * H) / np.sqrt(inputs)]
""",
    "chrono": """\
    W_xh = rng.uniform(-1, 1, (inputs, 2 * H)) / np.sqrt(inputs)
    b_z = -np.log(rng.uniform(1, max(1, T - 1), H))  # remember for 1 to T steps
    return [W_xh, np.concatenate([b_z, np.zeros(H)])]
""",
}

LRU = """\
    squared = rng.uniform($low**2, $high**2, H)  # |lambda|^2: uniform on a ring
    nu, theta = np.log(-0.5 * np.log(squared)), np.log(rng.uniform(0, 2 * np.pi, H))
    B_re, B_im = rng.standard_normal((2, H, H)) / np.sqrt(2 * H)
    C_re, C_im = rng.standard_normal((2, H, H)) / np.sqrt(H)
    W_xh, D = glorot(rng, inputs, H), rng.standard_normal(H)
    gamma = 0.5 * np.log1p(-squared)  # keeps the memory's size near that of what is read
    return [W_xh, np.zeros(H), nu, theta, gamma, B_re, B_im, C_re, C_im, D]
"""

ONE_LAYER = "weights = [*draw_layer(rng, I), glorot(rng, H, O), np.zeros(O)]  # W_hy, b_y last"

LAYERS = """\
weights = [w for size in [I] + [H] * (LAYERS - 1) for w in draw_layer(rng, size)]
weights += [glorot(rng, H, O), np.zeros(O)]  # W_hy, b_y"""


def start_code(e: Experiment) -> str:
    """Return the code that draws all weights into the list ``weights``, with the readout last."""
    body = _layer(e)
    helper = ORTHOGONAL if "orthogonal(" in body else ""
    whole = ONE_LAYER if e.layers == 1 else LAYERS
    return GLOROT + helper + fill(LAYER, body=body.rstrip("\n"), whole=whole)


def _layer(e: Experiment) -> str:
    """Return the body of ``draw_layer``."""
    init = str(e.init)
    if e.cell == "lru":
        low, high = INITIALIZERS[init].radii
        return fill(LRU, low=f"{low:g}", high=f"{high:g}")
    if e.cell == "mingru":
        return MIN_GRU[init]
    if e.cell == "feed-forward":
        drawn = f"    {RECURRENT[init]}  # as for an RNN: later draws stay the same"
        return fill(FEED_FORWARD, drawn="" if init == "identity" else drawn)
    if e.cell not in ("lstm", "gru"):
        return fill(VANILLA, recurrent=RECURRENT[init])
    gates = "4" if e.cell == "lstm" else "3"
    if init not in MATRICES or init == "pytorch":
        return fill(UNIFORM_GATES, gates=gates, biases=BIASES[e.cell, init])
    biases = "np.zeros(4 * H)" if e.cell == "lstm" else "np.zeros(3 * H), np.zeros(H)"
    return fill(GATES, gates=gates, recurrent=RECURRENT[init], biases=biases)
