"""The shapes of a network's arrays, and what PyTorch and Keras call the same things."""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.experiment import Experiment
from rnnviz.tasks.topology import Masks


@dataclass(frozen=True)
class Shape:
    """An array: its symbol, the letters of its shape, and the numbers."""

    symbol: str
    letters: str
    numbers: tuple[int, ...]


def shapes_of(e: Experiment, masks: Masks | None = None) -> tuple[Shape, ...]:
    """Return the shapes of inputs, hidden states and outputs of an experiment; time comes first.

    masks : which steps read and write, the experiment's by default; K of them write.
    """
    masks = masks or e.masks
    T, K, B, H = len(masks.reads), len(masks.write_steps), e.batch_size, e.hidden_size
    network = e.network()
    return (
        Shape("x", "(T, B, I)", (T, B, network.input_size)),
        Shape("h", "(T, B, H)", (T, B, H)),
        Shape("y", "(K, B, O)", (K, B, network.output_size)),
    )


@dataclass(frozen=True)
class Named:
    """What a topology needs in PyTorch (``nn.RNN``, ``nn.LSTM``, ``nn.GRU``) and in Keras."""

    pytorch: str
    keras: str


NAMED = {
    "one-to-one": Named(
        "nn.Linear layers are enough; an nn.RNN with T = 1 does the same.",
        "Dense layers are enough.",
    ),
    "one-to-many": Named(
        "After the first step x is 0. Answers come from all of output, (T, B, H).",
        "return_sequences=True gives (B, T, H).",
    ),
    "many-to-one": Named(
        "The answer comes from output[-1], which for one layer equals h_n[0], (B, H).",
        "return_sequences=False, the default, gives (B, H).",
    ),
    "many-to-many": Named(
        "Answers come from all of output, (T, B, H).",
        "return_sequences=True gives (B, T, H).",
    ),
    "sequence-to-sequence": Named(
        "The encoder's h_n, (layers, B, H), is the decoder's h_0.",
        "return_state=True in the encoder, initial_state= in the decoder.",
    ),
}
"""By topology. In Keras, and in PyTorch with batch_first=True, the batch comes first: (B, T, I)."""

ORDER = (
    "Time comes first here and in PyTorch: (T, B, I). With batch_first=True, and in Keras, it is (B, T, I); "
    "h_n keeps (layers, B, H)."
)
