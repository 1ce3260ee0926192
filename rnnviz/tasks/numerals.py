"""The number words 0 to 99 in three languages, word by word."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

LARGEST = 99

_ENGLISH = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_ENGLISH_TENS = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip
_FRENCH = (
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze",
    "douze", "treize", "quatorze", "quinze", "seize",
)  # fmt: skip
_FRENCH_TENS = (
    "vingt", "trente", "quarante", "cinquante", "soixante",
)  # fmt: skip
_GERMAN = (
    "null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf",
    "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn",
)  # fmt: skip
_GERMAN_TENS = (
    "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig",
)  # fmt: skip


def english(n: int) -> list[str]:
    """Return the words of n: 42 is forty two."""
    tens, units = divmod(n, 10)
    if n < 20:
        return [_ENGLISH[n]]
    return [_ENGLISH_TENS[tens - 2], *([_ENGLISH[units]] if units else [])]


def french(n: int) -> list[str]:
    """Return the words of n: 71 is soixante et onze, 97 is quatre vingt dix sept."""
    if n <= 16:
        return [_FRENCH[n]]
    if n < 20:
        return ["dix", _FRENCH[n - 10]]
    if n >= 80:
        return ["quatre", "vingts"] if n == 80 else ["quatre", "vingt", *french(n - 80)]
    score = n // 20 * 20 if n >= 60 else n // 10 * 10
    ten, rest = _FRENCH_TENS[score // 10 - 2], n - score
    if rest == 0:
        return [ten]
    joined = ["et"] if rest in (1, 11) else []
    return [ten, *joined, *french(rest)]


def german(n: int) -> list[str]:
    """Return the words of n: 42 is zwei und vierzig, the units first."""
    tens, units = divmod(n, 10)
    if n < 20:
        return [_GERMAN[n]]
    ten = _GERMAN_TENS[tens - 2]
    return [ten] if not units else ["ein" if units == 1 else _GERMAN[units], "und", ten]


class Language(NamedTuple):
    """A language: its name on screen, and a function from a number to its words."""

    title: str
    say: Callable[[int], list[str]]


LANGUAGES = {
    "english": Language("English", english),
    "french": Language("French", french),
    "german": Language("German", german),
}
