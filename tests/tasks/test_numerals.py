"""Number words from grammars and dictionaries, independent of the rules in the code."""

from __future__ import annotations

import pytest

from rnnviz.tasks.numerals import LANGUAGES, LARGEST

ENGLISH = {
    0: "zero", 1: "one", 8: "eight", 10: "ten", 11: "eleven", 12: "twelve", 13: "thirteen", 15: "fifteen",
    16: "sixteen", 17: "seventeen", 18: "eighteen", 19: "nineteen", 20: "twenty", 21: "twenty one",
    30: "thirty", 40: "forty", 44: "forty four", 50: "fifty", 58: "fifty eight", 60: "sixty",
    61: "sixty one", 70: "seventy", 71: "seventy one", 77: "seventy seven", 80: "eighty",
    81: "eighty one", 90: "ninety", 91: "ninety one", 97: "ninety seven", 99: "ninety nine",
}  # fmt: skip
FRENCH = {  # as in France: tens by the score from sixty on
    0: "zéro", 1: "un", 2: "deux", 5: "cinq", 6: "six", 10: "dix", 11: "onze", 12: "douze", 14: "quatorze",
    15: "quinze", 16: "seize", 17: "dix sept", 18: "dix huit", 19: "dix neuf", 20: "vingt",
    21: "vingt et un", 22: "vingt deux", 30: "trente", 31: "trente et un", 40: "quarante",
    50: "cinquante", 60: "soixante", 61: "soixante et un", 62: "soixante deux", 69: "soixante neuf",
    70: "soixante dix", 71: "soixante et onze", 72: "soixante douze", 76: "soixante seize",
    77: "soixante dix sept", 79: "soixante dix neuf", 80: "quatre vingts", 81: "quatre vingt un",
    82: "quatre vingt deux", 89: "quatre vingt neuf", 90: "quatre vingt dix", 91: "quatre vingt onze",
    96: "quatre vingt seize", 97: "quatre vingt dix sept", 99: "quatre vingt dix neuf",
}  # fmt: skip
GERMAN = {
    0: "null", 1: "eins", 2: "zwei", 5: "fünf", 6: "sechs", 7: "sieben", 10: "zehn", 11: "elf",
    12: "zwölf", 13: "dreizehn", 15: "fünfzehn", 16: "sechzehn", 17: "siebzehn", 18: "achtzehn",
    19: "neunzehn", 20: "zwanzig", 21: "ein und zwanzig", 26: "sechs und zwanzig",
    27: "sieben und zwanzig", 30: "dreißig", 31: "ein und dreißig", 42: "zwei und vierzig",
    50: "fünfzig", 60: "sechzig", 61: "ein und sechzig", 66: "sechs und sechzig", 70: "siebzig",
    71: "ein und siebzig", 77: "sieben und siebzig", 80: "achtzig", 81: "ein und achtzig", 90: "neunzig",
    91: "ein und neunzig", 97: "sieben und neunzig", 99: "neun und neunzig",
}  # fmt: skip
LISTED = {"english": ENGLISH, "french": FRENCH, "german": GERMAN}


@pytest.mark.parametrize("language", LISTED)
def test_the_tricky_numbers_are_said_as_a_dictionary_says_them(language: str) -> None:
    say = LANGUAGES[language].say
    assert {n: " ".join(say(n)) for n in LISTED[language]} == LISTED[language]


def test_every_language_that_can_be_chosen_is_listed_here() -> None:
    assert set(LANGUAGES) == set(LISTED)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_numbers_have_the_same_name(language: str) -> None:
    names = [" ".join(LANGUAGES[language].say(n)) for n in range(LARGEST + 1)]
    assert len(set(names)) == len(names) == 100
    assert all(word and word == word.strip().lower() for name in names for word in name.split(" "))


def counted(words: str, first: int = 0, step: int = 1) -> dict[str, int]:
    """Words that stand for first, first + step, first + 2 step ..."""
    return {word: first + step * k for k, word in enumerate(words.split())}


ENGLISH_VALUES = counted(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
) | counted("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10)
FRENCH_VALUES = (
    counted("zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize")
    | counted("vingt trente quarante cinquante soixante", 20, 10)
    | {"vingts": 20, "et": 0}
)
GERMAN_VALUES = (
    counted(
        "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn "
        "sechzehn siebzehn achtzehn neunzehn"
    )
    | counted("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig", 20, 10)
    | {"ein": 1, "und": 0}
)


@pytest.mark.parametrize("n", range(LARGEST + 1))
def test_the_words_add_up_to_the_number(n: int) -> None:
    """Read backwards: words are summed, and "quatre vingt" is four times twenty."""
    assert sum(ENGLISH_VALUES[word] for word in LANGUAGES["english"].say(n)) == n
    assert sum(GERMAN_VALUES[word] for word in LANGUAGES["german"].say(n)) == n
    french = LANGUAGES["french"].say(n)
    scores = french[:1] == ["quatre"] and french[1:2] in (["vingt"], ["vingts"])
    total = sum(FRENCH_VALUES[word] for word in french)
    assert (total - 4 - 20 + 80 if scores else total) == n


@pytest.mark.parametrize(("language", "code"), [("english", "en"), ("french", "fr"), ("german", "de")])
def test_all_numbers_agree_with_num2words(language: str, code: str) -> None:
    num2words = pytest.importorskip("num2words").num2words

    def letters(text: str) -> str:
        return text.replace("-", "").replace(" ", "")

    for n in range(LARGEST + 1):
        assert letters("".join(LANGUAGES[language].say(n))) == letters(num2words(n, lang=code))
