"""Code that draws a task's batches: ``draw_batch(rng, B)`` with the numbers that the task itself draws.

Targets are those of the K steps that write, (K, B) or (K, B, O); in every topology these are the last K.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnviz.experiment import Experiment
from rnnviz.export.pieces import block, fill, indented, listing, number
from rnnviz.model.losses import LOSSES
from rnnviz.tasks import TASKS
from rnnviz.tasks import sentiment as grammar
from rnnviz.tasks.captions import Captions
from rnnviz.tasks.corpora import OPINIONS, corpus
from rnnviz.tasks.digits import HELD_OUT
from rnnviz.tasks.numerals import LANGUAGES
from rnnviz.tasks.series import JITTER, SERIES, Series, SeriesTask
from rnnviz.tasks.text import CORPUS, HELD_OUT_SHARE, TEXT
from rnnviz.tasks.translation import TARGET

MOST_VALUES = 2000
"""Values of a series of your own that a script still holds."""


@dataclass(frozen=True)
class Data:
    """Code for a task's data.

    draw : the body of ``draw_batch``, which sets x and targets. before : what stands before the function.
    imports : lines for the head of the script.
    """

    draw: str
    before: str = ""
    imports: str = ""


RECALL = """\
symbol = rng.integers(SYMBOLS, size=B)
x = NOISE * rng.standard_normal((T, B, SYMBOLS))
x[0] = np.eye(SYMBOLS)[symbol]  # shown once
targets = symbol[None]  # asked for at the end
"""

ADDING = """\
x = np.zeros((T, B, 2))  # a number and a mark
x[:, :, 0] = rng.uniform(0, 1, (T, B))
x[rng.integers(0, T // 2, B), np.arange(B), 1] = 1  # one mark in each half
x[rng.integers(T // 2, T, B), np.arange(B), 1] = 1
targets = (x[:, :, 0] * x[:, :, 1]).sum(axis=0)[None, :, None]  # the sum of the marked two
"""

PARITY = """\
bits = rng.integers(2, size=(T, B))
x = bits[:, :, None].astype(float)
targets = (bits.cumsum(axis=0) % 2)[FIRST:]  # 1 where the number of ones so far is odd
"""

ECHO = """\
symbols = rng.integers(SYMBOLS, size=(T, B))
x = np.eye(SYMBOLS)[symbols]
targets = symbols[: T - DELAY]  # each one again, DELAY steps later
"""

TRANSCRIPTION = """\
symbols = rng.integers(SYMBOLS, size=(ITEMS, B))
x = np.zeros((T, B, SYMBOLS))
x[:ITEMS] = np.eye(SYMBOLS)[symbols]  # read first
targets = $answer
"""

WAVES = """\
code = rng.integers(3, size=B)
x = np.zeros((T, B, 3))
x[0] = np.eye(3)[code]  # shown once
phase = 2 * np.pi * np.arange(1, T + 1)[:, None] / T
targets = np.sin(phase * (code + 1))[:, :, None]  # 1, 2 or 3 full waves
"""

SINE = """\
frequency = rng.uniform(0.2, 0.6, B)  # radians per step
phase = rng.uniform(0, 2 * np.pi, B)
values = np.sin(np.arange(T + 1)[:, None] * frequency + phase)
x, targets = values[:-1, :, None], values[1:, :, None]  # the target is the next value
"""

WINDOWS = """\
start = rng.integers(len(seen) - T, size=B)
windows = seen[np.arange(T + 1)[:, None] + start][:, :, None]
x, targets = windows[:-1], windows[1:][FIRST:]  # the target is the next value
$jitter
"""

VALUES = """\
$values
$seen
"""

CHARACTERS = """\
start = rng.integers(len(codes) - T, size=B)
windows = codes[np.arange(T + 1)[:, None] + start]
x = np.eye(len(ALPHABET))[windows[:-1]]
targets = windows[1:]  # the next character
"""

TEXT_CODE = """\
$text
ALPHABET = sorted(set(TEXT))
codes = np.array([ALPHABET.index(character) for character in TEXT])
$part
"""

IMAGES = f"""\
# 1,797 handwritten digits of 8 x 8 pixels (Alpaydin & Kaynak 1998): pip install scikit-learn
images, labels = load_digits(return_X_y=True)
images = images[:-{HELD_OUT}] / 16  # (N, 64), from 0 to 1; the last {HELD_OUT} are held out
labels = labels[:-{HELD_OUT}]
"""

DIGITS = """\
chosen = rng.integers(len(labels), size=B)
x, targets = images[chosen][None], labels[chosen][None]
"""

NAMES = """\
$names
SIGNS = ["END", *sorted(set("".join(NAMES)))]
"""

CAPTIONS = """\
chosen = rng.integers(len(labels), size=B)
x = np.zeros((T, B, 64))
x[0] = images[chosen] + NOISE * rng.standard_normal((B, 64))  # the image is read once
targets = np.zeros((T, B), int)  # END where nothing else is written
for b, label in enumerate(labels[chosen]):
    targets[: len(NAMES[label]), b] = [SIGNS.index(letter) for letter in NAMES[label]]
"""

OPINION_GRAMMAR = '''\
$phrases


def opinion(rng):
    """Return the words of an opinion and its verdict, 0 for negative and 1 for positive."""
    negated = rng.random() < 0.45
    words = [rng.choice(NEGATORS)] if negated else []
    if rng.random() < 0.3:  # what is too long is bad
        return [*words, rng.choice(EXCESS), rng.choice(NEUTRAL)], int(negated)
    positive = rng.random() < 0.5
    if rng.random() < 0.4:
        words.append(rng.choice(DEGREES))
    words.append(rng.choice(POSITIVE if positive else NEGATIVE))
    return words, int(positive != negated)


def subject(rng):
    """Return what a clause is about, and its verb."""
    return [rng.choice(SUBJECTS), rng.choice(VERBS)]


def draw_sentence(rng):
    """Return the words of a sentence and its verdict, which is that of its last clause."""
    words, verdict = opinion(rng)
    first = [*subject(rng), *words]
    form = rng.random()
    if form < 0.4:
        return first, verdict
    words, verdict = opinion(rng)
    if form < 0.6:
        return [*first, "but", *words], verdict
    if form < 0.8:
        return [*first, "but", *subject(rng), *words], verdict
    return ["although", *first, ",", *subject(rng), *words], verdict
'''

REPORT_GRAMMAR = '''\
$phrases


def draw_sentence(rng):
    """Return the words of a sentence and its verdict; "nobody" at the start turns it around."""
    negated, positive = rng.random() < 0.5, rng.random() < 0.5
    degree = [rng.choice(DEGREES)] if rng.random() < 0.4 else []
    kinds = [NONE if negated else ALL, ["who"], ACTIVITIES, PLACES, TIMES, SAYINGS]
    words = [rng.choice(kind) for kind in kinds]
    adjective = rng.choice(POSITIVE if positive else NEGATIVE)
    return [*words, *degree, adjective], int(positive != negated)
'''

SENTENCES = """\


found = {}  # verdicts by sentence, without duplicates
sentence_rng = np.random.default_rng(0)
while len(found) < $count:
    phrases, verdict = draw_sentence(sentence_rng)
    sentence = " ".join(phrases)
    if crc32(sentence.replace(" ,", ",").encode()) % 5:  # every fifth one is held out
        found[sentence] = verdict
"""

VOCABULARY = """\
sentences = [(text.split(), verdict) for text, verdict in found.items()]
$phrases
WORDS = list(dict.fromkeys(" ".join(PHRASES).split()))
"""

SENTIMENT = """\
chosen = [sentences[i] for i in rng.integers(len(sentences), size=B)]
x = np.zeros((T, B, len(WORDS)))
for b, (words, _) in enumerate(chosen):
    x[range(T - len(words), T), b, [WORDS.index(word) for word in words]] = 1
targets = np.array([[verdict for _, verdict in chosen]])
"""

ENGLISH = '''\


def english(n):
    """Return the words of a number: 42 is forty two."""
    if n < 20:
        return [ENGLISH[n]]
    return [ENGLISH_TENS[n // 10 - 2]] + [ENGLISH[n % 10]] * (n % 10 > 0)
'''

FRENCH = '''\


def french(n):
    """Return the words of a number: 71 is soixante et onze, 97 is quatre vingt dix sept."""
    if n <= 16:
        return [FRENCH[n]]
    if n < 20:
        return ["dix", FRENCH[n - 10]]
    if n >= 80:
        return ["quatre", "vingts"] if n == 80 else ["quatre", "vingt", *french(n - 80)]
    score = n // 20 * 20 if n >= 60 else n // 10 * 10
    ten, rest = FRENCH_TENS[score // 10 - 2], n - score
    if rest == 0:
        return [ten]
    return [ten, *["et"] * (rest in (1, 11)), *french(rest)]
'''

GERMAN = '''\


def german(n):
    """Return the words of a number: 42 is zwei und vierzig."""
    tens, units = divmod(n, 10)
    if n < 20:
        return [GERMAN[n]]
    if units == 0:
        return [GERMAN_TENS[tens - 2]]
    return ["ein" if units == 1 else GERMAN[units], "und", GERMAN_TENS[tens - 2]]
'''

NUMBERS = """\


held_out = []  # some numbers of tens and units, depending on the seed
for n in np.random.default_rng([SEED, 2]).permutation([n for n in range(21, 100) if n % 10]):
    sibling = {7: n + 20, 9: n - 20}.get(n // 10)  # of 72 and 92 at most one
    if sibling not in held_out and len(held_out) < 15:
        held_out.append(n)
numbers = [n for n in range(100) if n not in held_out]
READ = list(dict.fromkeys(word for n in range(100) for word in english(n)))
WRITTEN = ["END", *dict.fromkeys(word for n in range(100) for word in $language(n))]
"""

TRANSLATION = """\
x = np.zeros((T, B, len(READ)))
targets = np.zeros((T - FIRST, B), int)  # END where nothing else is written
for b, i in enumerate(rng.integers(len(numbers), size=B)):
    words, wanted = english(numbers[i]), $language(numbers[i])
    x[range(FIRST - len(words), FIRST), b, [READ.index(word) for word in words]] = 1
    targets[: len(wanted), b] = [WRITTEN.index(word) for word in wanted]
"""

FEEDBACK = """\
before = np.zeros((T, B, O))  # the target of the step before, as one more input
before[FIRST + 1 :] = $wanted
x = np.concatenate([x, before], axis=2)
"""

FUNCTION = '''\
def draw_batch(rng, B):
    """Draw B sequences: inputs x (T, B, I), and targets $shape of the K steps that write."""
$body
    return x, targets
'''


def data_code(e: Experiment) -> tuple[str, str]:
    """Return imports and the code that draws the experiment's batches.

    Raises
    ------
    ValueError
        If the data are too long to stand in a script.
    """
    data = CODE[e.task](e)
    classes = TASKS[e.task].loss is LOSSES["cross-entropy"]
    wanted = "np.eye(O)[targets[:-1]]" if classes else "targets[:-1]"
    draw = data.draw + (fill(FEEDBACK, wanted=wanted) if e.feedback else "")
    function = fill(FUNCTION, body=indented(draw), shape="(K, B)" if classes else "(K, B, O)")
    return data.imports, data.before + "\n" * 2 * bool(data.before) + function


def _series(e: Experiment) -> Data:
    task = TASKS[e.task]
    assert isinstance(task, SeriesTask)  # noqa: S101 - for mypy
    series = task.series(e)
    if series.held_out > MOST_VALUES:
        raise ValueError(
            f"a script holds a series of at most {MOST_VALUES:,} values to learn from; "
            f"got {series.held_out:,}. Choose a shorter one."
        )
    simulated = e.task == "series" and SERIES.of(e) == "stock"
    values = _simulated(series) if simulated else _measured(series)
    draw = fill(WINDOWS, jitter="x = x + JITTER * rng.standard_normal(x.shape)" * bool(JITTER.of(e)))
    return Data(draw, fill(VALUES, values=values, seen=_seen(series)))


def _simulated(series: Series) -> str:
    return (
        "# A price whose relative changes are drawn independently of each other.\n"
        f"changes = 0.01 * np.random.default_rng(1900).standard_normal({len(series.values)})\n"
        f"values = 100 * np.exp(np.cumsum(changes) - changes[0])[:{series.held_out}]  # the rest is held out"
    )


def _measured(series: Series) -> str:
    """Return code with the values that are trained on."""
    known = block(number(float(value)) for value in series.values[: series.held_out])
    return (
        f"# {series.title}: what comes later is held out.\n"
        f"VALUES = {known}\nvalues = np.array(VALUES.split(), float)"
    )


def _seen(series: Series) -> str:
    """Return code that turns values into what the network sees."""
    if series.sees == "root":
        return f"seen = np.sqrt(values) / {number(series.scale)}  # near 1"
    level = "np.log(values)" if "log" in series.sees else "values"
    lines = [f"seen = np.diff({level})  # {'relative ' * ('log' in series.sees)}changes"]
    if "seasonal" in series.sees:
        season = series.season
        lines.append(f"seen = seen[{season}:] - seen[:-{season}]  # less the same change one season ago")
    known = series.seen()[series.unknown : series.held_out] * series.scale
    by_spread = np.isclose(series.scale, known.std(), rtol=1e-9, atol=0.0)
    size = "seen.std()" if by_spread else "np.sqrt(np.mean(seen**2))"
    return "\n".join([*lines, f"seen = seen / {size}  # near 1"])


def _characters(e: Experiment) -> Data:
    name, own = CORPUS.of(e), TEXT.of(e)
    text = corpus(name, own)
    before, imports = "", ""
    if name == "hello":
        told = 'TEXT = "hello world " * 40'
    elif name == "opinions":
        before, imports = _sentences("opinions", OPINIONS), "from zlib import crc32"
        told = 'TEXT = "".join(sentence.replace(" ,", ",") + "\\n" for sentence in found)'
    elif name == "own":
        told = f"TEXT = {_literal(text)}"
    else:
        told = f'TEXT = """\\\n{text}"""'
    kept = int(len(text) * HELD_OUT_SHARE)
    if kept > e.seq_len:
        part = f"codes = codes[:-{kept}]  # the end is held out"
    else:
        times = 1 + (e.seq_len + 1) // len(text)
        part = f"codes = np.tile(codes, {times})  # repeated, to be longer than T" if times > 1 else ""
    return Data(CHARACTERS, before + fill(TEXT_CODE, text=told, part=part), imports)


def _literal(text: str, length: int = 60) -> str:
    """Return a text as code, in parts of ``length`` characters."""
    parts = [_quoted(text[i : i + length]) for i in range(0, len(text), length)]
    return parts[0] if len(parts) == 1 else "(\n" + "".join(f"    {part}\n" for part in parts) + ")"


def _quoted(text: str) -> str:
    """Return a string literal in those quotes that need fewer escapes."""
    double = json.dumps(text, ensure_ascii=False)
    if text.count('"') <= text.count("'"):
        return double
    single = double[1:-1].replace('\\"', '"').replace("'", "\\'")
    return f"'{single}'"


def _digits(e: Experiment) -> Data:
    return Data(DIGITS, IMAGES, "from sklearn.datasets import load_digits")


def _captions(e: Experiment) -> Data:
    task = TASKS[e.task]
    assert isinstance(task, Captions)  # noqa: S101 - for mypy
    names = fill(NAMES, names=listing("NAMES", task.names(e)).rstrip("\n"))
    return Data(CAPTIONS, IMAGES + names, "from sklearn.datasets import load_digits")


def _sentences(name: str, count: int) -> str:
    """Return code that draws sentences of a grammar."""
    kinds = {
        "opinions": ("SUBJECTS", "VERBS", "DEGREES", "NEGATORS", "POSITIVE", "NEGATIVE", "NEUTRAL", "EXCESS"),
        "reports": (
            "ALL", "NONE", "ACTIVITIES", "PLACES", "TIMES", "SAYINGS", "DEGREES", "POSITIVE", "NEGATIVE"
        ),
    }[name]  # fmt: skip
    phrases = "".join(listing(kind, getattr(grammar, kind)) for kind in kinds).rstrip("\n")
    template = {"opinions": OPINION_GRAMMAR, "reports": REPORT_GRAMMAR}[name]
    return fill(template, phrases=phrases) + fill(SENTENCES, count=str(count))


PHRASES = {
    "opinions": (
        "PHRASES = SUBJECTS + VERBS + DEGREES + NEGATORS + POSITIVE + NEGATIVE + NEUTRAL + EXCESS\n"
        'PHRASES += ["but although ,"]'
    ),
    "reports": (
        'PHRASES = ALL + NONE + ["who"] + ACTIVITIES + PLACES + TIMES + SAYINGS\n'
        "PHRASES += DEGREES + POSITIVE + NEGATIVE"
    ),
}


def _sentiment(e: Experiment) -> Data:
    name = grammar.GRAMMAR.of(e)
    before = _sentences(name, grammar.TRAINING_SENTENCES) + fill(VOCABULARY, phrases=PHRASES[name])
    return Data(SENTIMENT, before, "from zlib import crc32")


def _translation(e: Experiment) -> Data:
    language = TARGET.of(e)
    words = {
        "ENGLISH": [LANGUAGES["english"].say(n)[0] for n in range(20)],
        "ENGLISH_TENS": [LANGUAGES["english"].say(n)[0] for n in range(20, 100, 10)],
    }
    if language == "french":
        words["FRENCH"] = [LANGUAGES["french"].say(n)[0] for n in range(17)]
        words["FRENCH_TENS"] = [LANGUAGES["french"].say(n)[0] for n in range(20, 70, 10)]
    else:
        words["GERMAN"] = [LANGUAGES["german"].say(n)[0] for n in range(20)]
        words["GERMAN_TENS"] = [LANGUAGES["german"].say(n)[0] for n in range(20, 100, 10)]
    lists = "".join(listing(name, of) for name, of in words.items())
    function = FRENCH if language == "french" else GERMAN
    before = lists + ENGLISH + function + fill(NUMBERS, language=language)
    return Data(fill(TRANSLATION, language=language), before)


def _always(draw: str, **parts: str) -> Callable[[Experiment], Data]:
    """Return a function that gives the same code for every experiment."""
    return lambda e: Data(fill(draw, **parts))


CODE: dict[str, Callable[[Experiment], Data]] = {
    "recall": _always(RECALL),
    "adding": _always(ADDING),
    "parity": _always(PARITY),
    "echo": _always(ECHO),
    "copy": _always(TRANSCRIPTION, answer="symbols  # written last, in the same order"),
    "reverse": _always(TRANSCRIPTION, answer="symbols[::-1].copy()  # written last, in reverse order"),
    "digits": _digits,
    "waves": _always(WAVES),
    "sine": _always(SINE),
    "sunspots": _series,
    "series": _series,
    "characters": _characters,
    "captions": _captions,
    "sentiment": _sentiment,
    "translation": _translation,
}
"""The code of every task's data."""
