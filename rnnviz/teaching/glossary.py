"""All symbols of the app: name, meaning and formula."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """One entry; ``formula`` is TeX, "" for none, and ``group`` one of GROUPS."""

    symbol: str
    name: str
    meaning: str
    formula: str
    group: str


GROUPS = ("The network", "Learning", "The gradient", "What W_hh allows", "Theory", "At work")

_ENTRIES = (
    ("t, T", "time step, sequence length", "Steps count from 1 to T; a sequence has T of them.", "", 0),
    ("I, H, O", "sizes", "How many numbers the input, the state and the output have.", "", 0),
    ("x_t", "input", "What the network reads at step t: a vector of I numbers.", "", 0),
    (
        "h_t",
        "hidden state",
        "All that the network remembers after step t: H numbers. It starts from h_0 = 0.",
        r"h_t=\varphi(a_t),\quad a_t=x_tW_{xh}+h_{t-1}W_{hh}+b_h",
        0,
    ),
    (
        "y_t",
        "output",
        "What the network writes at step t: O numbers, computed from the state.",
        r"y_t=h_tW_{hy}+b_y",
        0,
    ),
    ("A = W_xh", "input weights", "An (I, H) matrix from input to state, the same at every step.", "", 0),
    (
        "B = W_hh",
        "recurrent weights",
        "An (H, H) matrix from one state to the next: the loop. The same at every step.",
        "",
        0,
    ),
    ("C = W_hy", "output weights", "An (H, O) matrix from state to output, the same at every step.", "", 0),
    (
        "φ",
        "activation",
        "The function applied to each number of the state: tanh, ReLU, sigmoid, or none (linear).",
        "",
        0,
    ),
    (
        "P",
        "parameters",
        "How many numbers are learned. This does not grow with T, because all steps share A, B and C.",
        r"P=IH+H^2+H+HO+O",
        0,
    ),
    (
        "L",
        "loss",
        "How wrong the answers are, averaged over the batch (N sequences) and over the K steps that write.",
        r"L=\tfrac1{NK}\sum_n\sum_k \text{loss}(y_k)",
        1,
    ),
    (
        "p",
        "probabilities",
        "What softmax makes of the output: how likely the network finds each class. Their sum is 1.",
        r"p_i=\frac{e^{y_i}}{\sum_j e^{y_j}}",
        1,
    ),
    (
        "chance, baseline",
        "levels to beat",
        "Chance is what guessing scores. A baseline is what a simple rule scores: next year like this year.",
        "",
        1,
    ),
    (
        "held-out",
        "never trained on",
        "Data for measuring only: the end of a series, a random sample of words, or sequences drawn for it. "
        "Where a task has few different ones (Waves, Reverse, Copy, short Parity), the same ones occur in "
        "training: the measurement is then called in-sample.",
        "",
        1,
    ),
    (
        "η",
        "learning rate",
        "How far one update moves the weights against the gradient: the formula is SGD's. Adam and RMSProp "
        "first divide by the gradient's usual size.",
        r"W\leftarrow W-\eta\,\tfrac{\partial L}{\partial W}",
        1,
    ),
    (
        "θ",
        "clipping threshold",
        "A gradient longer than θ is shortened to θ. Limits explosions; cannot restore what has vanished.",
        r"\text{if }\|\nabla L\|\ge\theta:\ \nabla L\leftarrow\tfrac{\theta}{\|\nabla L\|}\,\nabla L",
        1,
    ),
    (
        "∂L/∂h_t",
        "gradient at step t",
        "How much the loss would change if the state at step t changed: the error that arrives there. "
        "G_t is the loss's gradient with respect to output t, 0 where nothing is written.",
        r"\delta_t=G_tW_{hy}^\top+(\delta_{t+1}\odot\varphi'(a_{t+1}))W_{hh}^\top",
        2,
    ),
    (
        "α_t",
        "error before the activation",
        "∂L/∂a_t: the error at step t times the slope of the activation. The "
        "gradient of A and of B is computed from it.",
        r"\alpha_t=\delta_t\odot\varphi'(a_t)",
        2,
    ),
    (
        "error",
        "the gradient on its way back",
        "At step t: ∂L/∂h_t. It starts at the outputs and travels back in time. (The error of a forecast is "
        "something else: its distance from the true value.)",
        "",
        2,
    ),
    (
        "BPTT",
        "backpropagation through time",
        "The chain rule on the unfolded network, from the last step back to the first, for every update.",
        r"\tfrac{\partial L}{\partial W_{hh}}=\sum_t h_{t-1}^\top(\delta_t\odot\varphi'(a_t))",
        2,
    ),
    (
        "truncated BPTT",
        "the gradient, cut every K steps",
        "The error goes back to the first step of its block of K steps, counted back from T, and no further; "
        "used to save time and memory on long sequences. States still go on from block to block, and all "
        "steps share the weights, so a network may come to remember more than K steps, but more slowly.",
        r"\delta_{t}=G_tW_{hy}^\top\quad\text{where a block begins at } t+1",
        2,
    ),
    (
        "LSTM",
        "long short-term memory",
        "Keeps a cell state c beside h. The forget gate f decides how much of it stays, the input gate i "
        "what is added, the output gate o what h shows. Along c, each step back multiplies the error by f: "
        "a gate that starts half open halves it.",
        r"c_t=f_t\odot c_{t-1}+i_t\odot g_t,\quad h_t=o_t\odot\tanh c_t",
        2,
    ),
    (
        "GRU",
        "gated recurrent unit",
        "One gate z decides for each unit how much of the old state stays; r how much of it the candidate n"
        " sees.",
        r"h_t=(1-z_t)\odot n_t+z_t\odot h_{t-1}",
        2,
    ),
    (
        "gates",
        "values between 0 and 1 that multiply",
        "Computed from the input and the state at every step. They help a gradient as far as they are open:"
        " how they start is decided by their biases. Forget-gate bias 1 opens them to 0.73; chrono draws "
        "biases so that the units forget within 1 to T − 1 steps.",
        r"f_t=\sigma(x_tW+h_{t-1}U+b),\quad \text{chrono: } b\sim\log\mathcal U(1,\,T-1)",
        2,
    ),
    (
        "minGRU",
        "gates that see the input alone",
        "A GRU without W_hh: the error of a unit is multiplied by 1 − z at each step back, and by nothing "
        "else.",
        r"h_t=(1-z_t)\odot h_{t-1}+z_t\odot n_t",
        2,
    ),
    (
        "LRU",
        "linear recurrent unit",
        "A complex memory s, linear in time: each element is multiplied by its own λ inside the unit "
        "circle. Only what is read from it goes through a nonlinearity, here GELU, and past it.",
        r"s_t=\lambda\odot s_{t-1}+e^{\gamma}\odot u_tB,"
        r"\quad h_t=u_t+\mathrm{GELU}(\mathrm{Re}(s_tC)+D\odot u_t)",
        2,
    ),
    (
        "IRNN",
        "identity and ReLU",
        "A simple RNN with ReLU whose W_hh starts as the identity: an error passes unchanged through units "
        "that are on.",
        r"W_{hh}=1,\quad \varphi=\mathrm{ReLU}",
        2,
    ),
    (
        "antisymmetric RNN",
        "small steps that turn the state",
        "Adds to the state a small step whose matrix is antisymmetric but for a little damping γ.",
        r"h_t=h_{t-1}+\epsilon\tanh(x_tW_{xh}+h_{t-1}(W_{hh}-W_{hh}^\top-\gamma 1)+b)",
        2,
    ),
    (
        "ε_kt",
        "one output's error",
        "The part of the gradient at step t that comes from the loss of output k alone.",
        r"\delta_t=\sum_k\varepsilon_{kt}",
        2,
    ),
    (
        "D_kt",
        "contribution to the gradient",
        "The contribution of step t to output k's gradient of W_hh; all of them sum to the gradient of W_hh.",
        r"\tfrac{\partial L}{\partial W_{hh}}=\sum_k\sum_{t\le k}D_{kt},\quad "
        r"D_{kt}=h_{t-1}^\top(\varepsilon_{kt}\odot\varphi'(a_t))",
        2,
    ),
    (
        "R(l)",
        "error left after l steps back",
        "The share of an output's error that is left l steps back, averaged over the outputs.",
        r"R(l)=\operatorname{mean}_k\frac{\|\varepsilon_{k,k-l}\|}{\|\varepsilon_{kk}\|}",
        2,
    ),
    (
        "powers of ten",
        "how much it shrinks or grows",
        "How many powers of ten the last output's error loses or gains between its own step and step 1.",
        r"\log_{10}\frac{\|\varepsilon_{k1}\|}{\|\varepsilon_{kk}\|}",
        2,
    ),
    (
        "∂s_T/∂s_t",
        "Jacobian over many steps",
        "How the last state depends on that at step t; s is all that a layer carries on: h, or (h, c). "
        "Singular values: how much of an error gets back, direction by direction. The norm of a gradient "
        "mostly follows the largest.",
        r"\tfrac{\partial s_T}{\partial s_t}=\sum_i\sigma_i\,u_iv_i^\top",
        2,
    ),
    (
        "Lyapunov exponent",
        "growth rate in the long run",
        "Mean rate per step at which a small difference between two states grows, one a direction. Above 0: "
        "near states part (chaos, if they stay bounded), and errors explode over many steps. Below 0: "
        "differences die out, and errors vanish. In a linear network: ln |eigenvalue|.",
        r"\lim_{n\to\infty}\tfrac1n\ln\sigma_i\Big(\tfrac{\partial s_n}{\partial s_0}\Big)",
        2,
    ),
    (
        "vanishing, exploding",
        "verdict",
        "Vanishing: 100 times smaller at the first step, or more. Exploding: 100 times larger, or more.",
        "",
        2,
    ),
    (
        "φ′",
        "slope",
        "The factor that the activation applies to an error. A saturated unit's slope is near 0, and "
        "that of a ReLU that is off is 0: almost nothing passes, or nothing.",
        r"\tanh'(a)=1-h^2",
        2,
    ),
    (
        "ρ",
        "spectral radius",
        "Largest |eigenvalue| of W_hh. In a linear network it alone decides what happens over many steps. It "
        "nearly does so for tanh while the states are close to 0.",
        r"\rho=\max_i|\lambda_i|",
        3,
    ),
    (
        "σ_max",
        "largest singular value",
        "The most that W_hh can stretch any vector in a single step.",
        r"\sigma_{\max}=\max_{\|v\|=1}\|vW_{hh}\|",
        3,
    ),
    (
        "γ",
        "steepest slope",
        "The activation's largest slope: 1 for tanh, ReLU and linear, 1/4 for the sigmoid. If σ_max stays "
        "below 1/γ, every step back shrinks every error: it vanishes in the limit of many steps.",
        r"\sigma_{\max}<\tfrac1\gamma\ \Rightarrow\ \|\varepsilon_t\|\to 0",
        3,
    ),
    (
        "g",
        "gain",
        "Scales the initial W_hh. Gaussian: standard deviation g / √H; orthogonal: g times a rotation or "
        "reflection.",
        r"W_{hh}\sim\mathcal N(0,g^2/H)",
        4,
    ),
    (
        "s",
        "input strength",
        "Standard deviation of what the input adds to each unit at each step.",
        "",
        4,
    ),
    (
        "q*",
        "size of the pre-activations",
        "The variance that a_t settles at in a very wide random network.",
        r"q^*=g^2\,\mathbb E\,\varphi(\sqrt{q^*}z)^2+s^2",
        4,
    ),
    (
        "χ",
        "factor per step",
        "Mean square factor of the gradient per step back: below 1 it vanishes, above 1 it explodes.",
        r"\chi=g^2\,\mathbb E\,\varphi'(\sqrt{q^*}z)^2",
        4,
    ),
    (
        "output fed back",
        "autoregression",
        "What the network writes at one step is its input at the next. In training it reads the targets "
        "instead (teacher forcing); in use it reads its own outputs (free-running).",
        "",
        5,
    ),
    (
        "τ",
        "temperature",
        "How randomly a letter is drawn: every logit is divided by it. Near 0: always the likeliest letter; "
        "1: as learned; above 1: more random.",
        r"p_i=\frac{e^{y_i/\tau}}{\sum_j e^{y_j/\tau}}",
        5,
    ),
    (
        "bits per character",
        "surprise at a text",
        "How many yes-or-no questions the next character still leaves open, on average. Knowing only the "
        "alphabet of |V| characters: log2 |V|.",
        r"-\tfrac1n\sum_{t}\log_2 p(c_t\mid c_1\ldots c_{t-1})",
        5,
    ),
    (
        "naive forecast",
        "like the last value",
        "The baseline that every other forecast has to beat. Seasonal naive: like one season, m steps, ago.",
        r"\hat x_{t+1}=x_t,\qquad \hat x_{t+1}=x_{t+1-m}",
        5,
    ),
    (
        "one step ahead, free-running",
        "two ways to forecast",
        "One step ahead: all earlier values are known. Free-running: forecasts replace the values, so errors "
        "accumulate.",
        "",
        5,
    ),
    (
        "exact match",
        "without a mistake",
        "The share of held-out texts written correctly from the first character to the end mark ·.",
        "",
        5,
    ),
)

TERMS = {
    symbol: Term(symbol, name, meaning, formula, GROUPS[group])
    for symbol, name, meaning, formula, group in _ENTRIES
}
"""All terms by symbol, in teaching order."""


def explain(symbol: str) -> str:
    """Return a term's name and meaning in one line, for a tooltip."""
    term = TERMS[symbol]
    return with_small_indices(f"{term.name}: {term.meaning}")


_LOWERED = str.maketrans("hxtaekmnpijrso0123456789", "ₕₓₜₐₑₖₘₙₚᵢⱼᵣₛₒ₀₁₂₃₄₅₆₇₈₉")


def with_small_indices(text: str) -> str:
    """Return text with the index of h_t and W_xh in small letters, for places without HTML.

    An index with a letter that Unicode has no small form of stays as it is: W_hy.
    """

    def lowered(index: re.Match[str]) -> str:
        small = index[1].translate(_LOWERED)
        return index[0] if re.search("[A-Za-z0-9_]", small) else small

    return re.sub(r"(?<=\w)_(\w+)", lowered, text)


def with_indices(text: str) -> str:
    """Return text as HTML with h_t and W_xh set as subscripts."""
    return re.sub(r"_(\w+)", r"<sub>\1</sub>", text)
