"""A worksheet holds the library's own numbers and shows foreign text as text, as HTML and as Markdown."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest

from rnnviz import PRESETS, TASKS, Experiment, gradient_flow, start, take_snapshot, train
from rnnviz.experiment.fitting import nearest
from rnnviz.export import sheet_plot
from rnnviz.export.sheet_blocks import Sheet, Words, as_markdown
from rnnviz.export.worksheet import (
    GRADIENTS,
    LONGEST_REASON,
    RESULTS,
    Given,
    class_sheet,
    lesson_sheet,
    observe,
    scenario_of,
)
from rnnviz.figures.theme import LIGHT
from rnnviz.teaching.lessons import LESSONS
from rnnviz.teaching.numbers import plain
from rnnviz.training.loop import held_out_metric

LINK = "http://127.0.0.1:8501/playground?T=6&seed=3"
SMALL = Experiment(seq_len=6, hidden_size=8, batch_size=8, init="small-normal", seed=3)
HOSTILE = (
    "</p><script>alert(1)</script> <img src=x onerror=alert(2)> &amp; | cell | [a](javascript:x) "
    "**bold** `code` # head $x$ ![i](http://x.org/i.png) <https://x.org>"
)


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page[page.index("<body>") :])).split())


def rows_of(markdown: str) -> list[list[str]]:
    """The cells of all tables: whatever stands between pipes that are not escaped."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def shown_by_markdown(text: str) -> str:
    """What Markdown shows of a text in which every sign is escaped."""
    return re.sub(r"\\([^\w\s])", r"\1", text)


def test_the_answers_are_what_the_library_measures() -> None:
    seen, run, flow = observe(SMALL, 100), train(SMALL, 100), gradient_flow(SMALL)
    first = held_out_metric(SMALL, SMALL.network(), start(SMALL).params)
    after = take_snapshot(SMALL, run.params, 100)
    sheet = class_sheet(SMALL, 100, LINK, seen)
    losses = run.history["loss"].to_numpy()
    header, _, at_start, at_end = rows_of(sheet.markdown())
    assert header[1:] == ["training loss", "held-out accuracy", "gradient: first step ÷ last output"]
    for row, when, loss, metric, decades, verdict in (
        (at_start, "at the start", losses[0], first, flow.decades, flow.verdict),
        (at_end, "after 100 updates", losses[-1], run.metric, after.decades[-1], after.verdict[-1]),
    ):
        assert row[0] == when
        assert float(row[1]) == pytest.approx(loss, rel=0.06)
        assert row[2] == f"{metric:.0%}"
        assert row[3] == f"{plain(10.0**decades, 2)} ({verdict})"
        for cell in row:
            assert f">{cell}<" in sheet.html()
    np.testing.assert_allclose(seen.gradients[0], flow.total)
    assert flow.verdict == "vanishing"
    assert f"- [x] {GRADIENTS[0]}" in sheet.markdown()
    assert "numbers of seed 3 alone" in text_of(sheet.html())


@pytest.mark.parametrize(("name", "right"), [("short-memory", 0), ("vanishing", 1), ("exploding", 2)])
def test_the_ticked_result_is_the_scenarios_and_other_seeds_are_counted(name: str, right: int) -> None:
    scenario = PRESETS[name]
    sheet = class_sheet(
        scenario.experiment, scenario.steps, LINK, observe(scenario.experiment, scenario.steps)
    )
    ticked = [line for line in sheet.markdown().splitlines() if line.startswith("- [x]")]
    assert ticked[1:] == [f"- [x] {RESULTS[right]}"]
    assert scenario.record in text_of(sheet.html())
    assert scenario.promise in text_of(sheet.html())


def test_only_the_seed_may_differ_from_a_scenario() -> None:
    e = PRESETS["vanishing"].experiment
    assert scenario_of(e.replace(seed=77)) == PRESETS["vanishing"]
    assert scenario_of(e.replace(seq_len=49)) is None


def test_an_empty_sheet_gives_no_answer_away() -> None:
    sheet = class_sheet(SMALL, 300, LINK)
    page, told = sheet.html(), text_of(sheet.html())
    for part in ("1. Predict", "2. Observe", "3. Explain", LINK, "seed 3", *GRADIENTS, *RESULTS):
        assert part in told
    assert "☒" not in page
    assert "[x]" not in sheet.markdown()
    assert [row[1:] for row in rows_of(sheet.markdown())[2:]] == [[""] * 3] * 2
    assert "<path" not in page, "the axes are empty"


def test_a_single_step_is_not_asked_about_its_gradient() -> None:
    e = nearest({"topology": "one-to-one"}, first={"topology"})[0]
    page = class_sheet(e, 50, LINK, observe(e, 50)).html()
    assert GRADIENTS[0] not in page
    assert "÷ last output" not in page


def test_a_long_training_stops_and_the_sheet_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnviz.export.worksheet.MOST_SECONDS", 0.0001)
    e = PRESETS["vanishing"].experiment
    seen = observe(e, 1000)
    assert 0 < seen.step < 1000
    told = class_sheet(e, 1000, LINK, seen).markdown()
    assert f"was stopped after {seen.step} updates" in told
    assert not [answer for answer in RESULTS if f"- [x] {answer}" in told], "nobody knows yet"


def test_a_learners_sheet_has_prediction_verdict_words_numbers_and_seed() -> None:
    lesson = LESSONS["explosion"]
    first, second, _ = lesson.steps
    seen = observe(first.experiment, first.updates)
    given = {
        0: Given(first.right, "The weights are large.", seen),
        1: Given((second.right + 1) % 3, "", None),
    }
    sheet = lesson_sheet(lesson, given, LINK)
    told = text_of(sheet.html())
    assert f"{first.answers[first.right]} (my answer, right)" in told
    assert "In my own words: The weights are large." in told
    assert "1 of 3 right" in told
    assert told.count(f"seed {first.experiment.seed}") == 3
    assert LINK in told
    assert seen.metric[1] in told
    assert sheet.html().count("<path") == 4, "two gradients, the goal, the metric"
    markdown = sheet.markdown()
    assert f"- [x] {as_markdown(first.answers[first.right])} **(my answer, right)**" in markdown
    assert f"{as_markdown(second.answers[second.right])} **(right)**" not in markdown, "it is still open"


def test_what_a_learner_writes_is_shown_as_text() -> None:
    lesson = LESSONS["explosion"]
    sheet = lesson_sheet(lesson, {0: Given(0, HOSTILE, None)}, LINK)
    page = Tags(sheet.html())
    assert {tag for tag, _ in page.tags} & {"script", "img", "code"} == set()
    assert HOSTILE in text_of(sheet.html())
    assert HOSTILE not in sheet.html()
    line = next(line for line in sheet.markdown().splitlines() if line.startswith("**In my own words:**"))
    own = line.removeprefix("**In my own words:** ")
    assert shown_by_markdown(own) == HOSTILE
    for sign in "<>[]*`|#$&!":
        assert not re.search(rf"(?<!\\){re.escape(sign)}", own), sign


@pytest.mark.parametrize(
    "start", ["- a list", "# a heading", "1. first", "2) second", "> quoted", "=", "+ x"]
)
def test_no_line_of_a_text_begins_like_a_block(start: str) -> None:
    written = as_markdown(f"  {start}\n\n{start}")
    assert "\n" not in written
    assert re.match(r"\\|\d+\\", written)
    assert shown_by_markdown(written) == f"{start} {start}"


def test_numbers_stay_readable_in_markdown() -> None:
    assert as_markdown("0.25 of 1,000 (2.6·10⁻⁶¹)") == "0.25 of 1,000 (2.6·10⁻⁶¹)"


def test_the_markdown_is_well_formed() -> None:
    e = PRESETS["clipping"].experiment
    markdown = class_sheet(e, 50, LINK, observe(e, 50)).markdown()
    assert len({len(row) for row in rows_of(markdown)}) == 1
    assert [line for line in markdown.splitlines() if line.startswith("# ")] == [markdown.splitlines()[0]]
    lines = markdown.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("#") or (line.startswith("|") and not lines[number - 1].startswith("|")):
            assert number == 0 or lines[number - 1] == "", "a block begins after an empty line"
    assert "\n---" not in class_sheet(e, 50, LINK).markdown().replace("\n\n---", ""), "no rule is a heading"


def test_nothing_is_fetched_and_nothing_runs() -> None:
    page = class_sheet(SMALL, 50, LINK, observe(SMALL, 50)).html()
    for tag, attributes in Tags(page).tags:
        assert tag not in ("script", "img", "iframe", "object"), tag
        assert (attributes.get("src") or "data:").startswith("data:")
        assert tag == "a" or (attributes.get("href") or "data:").startswith("data:")
    assert "default-src 'none'" in page
    assert "script-src" not in page
    assert "url(" not in page


def test_a_hostile_title_is_text() -> None:
    page = Sheet(HOSTILE, HOSTILE, [Words(HOSTILE, HOSTILE)], HOSTILE).html()
    assert {tag for tag, _ in Tags(page).tags} & {"script", "img"} == set()


def test_the_colours_are_those_of_the_figures() -> None:
    for name in ("ink", "faint", "grid", "hidden", "metric"):
        assert getattr(sheet_plot, name.upper()) == getattr(LIGHT, name)
    declared = re.findall(r"--(\w+): (#[^;]*);", class_sheet(SMALL, 50, LINK).html())
    assert declared == [(name, getattr(LIGHT, name)) for name in ("ink", "faint", "grid", "good")]


def test_a_sheet_has_room_for_the_longest_reason() -> None:
    assert LONGEST_REASON == 280, "tests/browser/test_worksheet.py prints that many on one page"


def test_the_goal_asked_about_is_the_tasks() -> None:
    task = TASKS[SMALL.task]
    asked = f"The goal is accuracy {task.goal:.0%} (chance: {task.chance(SMALL):.0%})."
    assert asked in text_of(class_sheet(SMALL, 50, LINK).html())
