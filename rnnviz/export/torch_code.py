"""Code of the same network in PyTorch.

``nn.RNN``, ``nn.LSTM`` and ``nn.GRU`` where they are exactly the cell; else a module of a few lines.
"""

from __future__ import annotations

from rnnviz.experiment import Experiment
from rnnviz.export.pieces import fill
from rnnviz.model.cells import CELLS
from rnnviz.model.losses import LOSSES
from rnnviz.model.optimizers import OPTIMIZERS
from rnnviz.tasks import TASKS

TORCH = '''\
# %% $cell in PyTorch
$network


# %% Loss
def tensors(rng, B):
    """Draw a batch as tensors."""
    x, targets = draw_batch(rng, B)
    return torch.tensor(x), torch.tensor(targets)


def loss_of(y, targets):
    """Compare the outputs y (K, B, O) with their targets."""
    return $loss


# %% How much of the error reaches each step?
# PyTorch keeps the gradient of a state only if asked to: retain_grad().
def error_of(part):
    """Return dL/dpart, zero where the loss does not depend on it."""
    return torch.zeros_like(part) if part.grad is None else part.grad


def gradient_curve(model, x, targets):
    """Return ||dL/dstate_t|| of the top layer, (T,), the mean over the sequences.

    $state
    """
    y, states = model(x)
    for state in states:
        for part in state:
            part.retain_grad()
    loss_of(y, targets).backward()
    model.zero_grad()
    curve = []
    for state in states:
        squares = sum(error_of(part)$top.square().sum(dim=1) for part in state)
        curve.append(squares.sqrt().sum().item())  # 1/B is inside, so this is a mean
    return curve


probe = tensors(np.random.default_rng([SEED, 3]), 16)
curve = gradient_curve(model, *probe)
for t, size in enumerate(curve, start=1):
    print(f"||dL/dh_{t}|| = {size:.3e}")


# %% Training: $optimizer
# $close
rng = np.random.default_rng([SEED, 1])
optimizer = $rule
losses = []
for n in range(1, UPDATES + 1):
    x, targets = tensors(rng, B)
    y, _ = model(x)
    loss = loss_of(y, targets)
    losses.append(loss.item())
    optimizer.zero_grad()
    loss.backward()
$clip
    optimizer.step()
    if n % $every == 0 or n == 1:
        print(f"update {n:5d}   loss {loss.item():.4g}")
'''

NATIVE = '''\
class Network(nn.Module):
    """Recurrent layers, and a linear readout at the steps that write."""

    def __init__(self):
        super().__init__()
        self.rnn = $rnn
        self.readout = nn.Linear(H, O)

    def forward(self, x):
        """Return y (K, B, O) and the states of every step.

        One step at a time, so that each state is a tensor of its own with a gradient of its own.
        """
        state, states = None, []
        for t in range(T):
$cut
            _, state = self.rnn(x[t : t + 1], state)
            states.append($state)  # of all layers, (L, B, H) each
        h = torch.stack([state[0][-1] for state in states[FIRST:]])
        return self.readout(h), states


model = Network()
*inner, W_hy, b_y = weights
by_name = {"readout.weight": W_hy.T, "readout.bias": b_y}
$load
model.load_state_dict({name: torch.tensor(w) for name, w in by_name.items()})
'''

LOAD_LAYERS = """\
for n in range(LAYERS):
    $names = inner[$count * n : $count * (n + 1)]
    by_name |= {
        f"rnn.weight_ih_l{n}": W_xh.T,
        f"rnn.weight_hh_l{n}": W_hh.T,
        f"rnn.bias_ih_l{n}": $b,
        f"rnn.bias_hh_l{n}": $zero,
    }"""

LOAD_ONE = """\
$names = inner
by_name |= {
    "rnn.weight_ih_l0": W_xh.T,
    "rnn.weight_hh_l0": W_hh.T,
    "rnn.bias_ih_l0": $b,
    "rnn.bias_hh_l0": $zero,
}"""

OWN = '''\
class Layer(nn.Module):
    """$about"""

    def __init__(self, weights):
        super().__init__()
        self.weights = nn.ParameterList([nn.Parameter(torch.tensor(w)) for w in weights])

    def forward(self, x, state):
        """Return the state after one more step with input x (B, I)."""
$step


class Network(nn.Module):
    """Recurrent layers, and a linear readout at the steps that write."""

    def __init__(self, weights):
        super().__init__()
        *inner, W_hy, b_y = weights
        groups = [inner[i : i + $count] for i in range(0, len(inner), $count)]
        self.layers = nn.ModuleList([Layer(group) for group in groups])
        self.W_hy, self.b_y = nn.Parameter(torch.tensor(W_hy)), nn.Parameter(torch.tensor(b_y))

    def forward(self, x):
        """Return y (K, B, O) and the top layer's states of every step."""
        layers = [$start for _ in self.layers]
        states = []
        for t in range(T):
$cut
            below = x[t]
            for n, layer in enumerate(self.layers):
                layers[n] = layer(below, layers[n])
                below = layers[n][0]  # h_t
            states.append(layers[-1])
        h = torch.stack([state[0] for state in states[FIRST:]])
        return h @ self.W_hy + self.b_y, states


model = Network(weights)
'''

PHI = {"tanh": "torch.tanh(a)", "relu": "torch.relu(a)", "sigmoid": "torch.sigmoid(a)", "linear": "a"}

VANILLA_STEP = """\
        W_xh, W_hh, b_h = self.weights
        a = x @ W_xh + state[0] @ W_hh + b_h
        return ($phi,)"""

FEED_FORWARD_STEP = """\
        W_xh, b_h = self.weights
        a = x @ W_xh + b_h
        return ($phi,)"""

ANTISYMMETRIC_STEP = """\
        W_xh, W_hh, b_h = self.weights
        (h,) = state
        a = x @ W_xh + h @ (W_hh - W_hh.T) - 0.01 * h + b_h
        return (h + 0.1 * torch.tanh(a),)"""

MIN_GRU_STEP = """\
        W_xh, b = self.weights
        a_z, n = (x @ W_xh + b).chunk(2, dim=1)
        z = torch.sigmoid(a_z)
        return ((1 - z) * state[0] + z * n,)"""

LRU_STEP = """\
        W_xh, b, nu, theta, gamma, B_re, B_im, C_re, C_im, D = self.weights
        eigenvalues = torch.exp(torch.complex(-nu.exp(), theta.exp()))
        u = x @ W_xh + b
        read = gamma.exp() * torch.complex(u @ B_re, u @ B_im)
        s = eigenvalues * state[1] + read
        y = s.real @ C_re - s.imag @ C_im + D * u
        h = u + nn.functional.gelu(y, approximate="tanh")
        return h, s.clone()  # the clone's gradient is what the later steps want of s_t"""

OWN_STEPS = {
    "vanilla": ("h_t = $name(x_t W_xh + h_{t-1} W_hh + b_h).", VANILLA_STEP, 3),
    "feed-forward": ("h_t = $name(x_t W_xh + b_h), each step by itself.", FEED_FORWARD_STEP, 2),
    "antisymmetric": (
        "h_t = h_{t-1} + 0.1 tanh(x_t W_xh + h_{t-1} (W_hh - W_hh^T - 0.01 1) + b_h).",
        ANTISYMMETRIC_STEP,
        3,
    ),
    "mingru": ("h_t = (1 - z) h_{t-1} + z n; z and n see the input alone.", MIN_GRU_STEP, 2),
    "lru": ("s_t = lambda s_{t-1} + u_t B and h_t = u_t + GELU(Re(s_t C) + D u_t).", LRU_STEP, 10),
}
"""What a layer computes, the code of a step, and how many arrays of weights it has."""

RULES = {
    "sgd": "torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)",
    "momentum": "torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=0.9)",
    "rmsprop": "torch.optim.RMSprop(model.parameters(), lr=LEARNING_RATE, alpha=0.9)",
    "adam": "torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)",
}

LOSS = {
    "cross-entropy": "nn.functional.cross_entropy(y.flatten(0, 1), targets.flatten())",
    "squared-error": "nn.functional.mse_loss(y, targets)",
}

STATES = {"lstm": "The state is h and c.", "lru": "The state is h and s."}


def torch_code(e: Experiment, every: str) -> str:
    """Return network, loss, gradient curve and training; every : updates between two reports."""
    native = is_native(e)
    loss = next(name for name, known in LOSSES.items() if known is TASKS[e.task].loss)
    clip = "    nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)" if e.clip_norm is not None else ""
    return fill(
        TORCH,
        cell=CELLS[e.cell].title,
        network=(_native(e) if native else _own(e)).rstrip("\n"),
        loss=LOSS[loss],
        state=STATES.get(e.cell, "The state is h."),
        top="[-1]" if native else ".abs()" * (e.cell == "lru"),
        optimizer=OPTIMIZERS[e.optimizer].title,
        close=(
            "PyTorch's layers have two biases, both trained: losses soon differ from the NumPy script's."
            if native
            else "Losses agree with those of the NumPy script, at first to about a millionth."
        ),
        rule=RULES[e.optimizer],
        clip=clip,
        every=every,
    )


def is_native(e: Experiment) -> bool:
    """Return whether a layer of torch.nn is exactly this cell."""
    return e.cell in ("irnn", "lstm", "gru") or (e.cell == "vanilla" and e.activation in ("tanh", "relu"))


def _native(e: Experiment) -> str:
    layers = "" if e.layers == 1 else ", LAYERS"
    kind = {"lstm": "LSTM", "gru": "GRU"}.get(e.cell, "RNN")
    activation = ', nonlinearity="relu"' if e.activation == "relu" and kind == "RNN" else ""
    cut = "state = tuple(part.detach() for part in state)" if kind == "LSTM" else "state = state.detach()"
    names = {"LSTM": "W_xh, W_hh, b", "GRU": "W_xh, W_hh, b, b_hn", "RNN": "W_xh, W_hh, b_h"}[kind]
    b = "b_h" if kind == "RNN" else "b"
    zero = "np.concatenate([np.zeros(2 * H), b_hn])" if kind == "GRU" else f"np.zeros_like({b})"
    load = fill(
        LOAD_ONE if e.layers == 1 else LOAD_LAYERS,
        names=names,
        count=str(names.count(",") + 1),
        b=b,
        zero=zero,
    )
    return fill(
        NATIVE,
        rnn=f"nn.{kind}(I, H{layers}{activation})",
        cut=_cut(e, cut),
        state="state" if kind == "LSTM" else "(state,)",
        load=load,
    )


def _own(e: Experiment) -> str:
    about, step, count = OWN_STEPS[e.cell]
    zeros = "torch.zeros(x.shape[1], H)"
    start = f"({zeros}, {zeros})" if e.cell == "lru" else f"({zeros},)"
    cut = "layers = [tuple(part.detach() for part in state) for state in layers]"
    name = "" if e.activation == "linear" else e.activation
    return fill(
        OWN,
        about=fill(about, name=name),
        step=fill(step, phi=PHI[e.activation]),
        count=str(count),
        start=start,
        cut=_cut(e, cut),
    )


def _cut(e: Experiment, code: str) -> str:
    """Return the lines that cut the backward pass into blocks."""
    if e.truncate is None:
        return ""
    return f"            if t > 0 and (T - t) % TRUNCATE == 0:\n                {code}"
