"""The playground as a person meets it: it fits on the screen, it trains, nothing flickers, keys work."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from rnnviz import PRESETS, TASKS, Experiment, Preset
from rnnviz.experiment.links import to_params
from rnnviz.figures import THEMES
from tests.browser.conftest import STYLED, press_key, use_theme, wait_until
from tests.browser.test_foundation import expect_frame

DRAWN = "document.querySelectorAll('.live-figure[data-draws]').length"
STEP = "Number(document.querySelector('.numbers b')?.textContent.replace(',', ''))"
LOSS = """(() => {
  const losses = window.rnnvizFigures?.progress?.traces?.find(trace => trace.name.startsWith('loss'))?.y;
  return losses?.length ? losses[losses.length - 1] : NaN;
})()"""
CURVE = "[...window.rnnvizFigures.timeline.traces.find(t => t.name === 'whole loss').y]"
PARAMS = "new URL(location).searchParams"
WATCH = """() => {
  window.replaced = [];
  const roots = '.live-figure, .plot-container, svg.main-svg, .live-figure canvas';
  new MutationObserver(changes => {
    for (const change of changes) for (const node of change.removedNodes)
      if (node.matches?.(roots) || node.querySelector?.(roots)) window.replaced.push(String(node.className));
  }).observe(document.body, { childList: true, subtree: true });
}"""


def widget(name: str) -> str:
    """The place of a control whose key gets a number whenever the app changes its value."""
    return f"[class*='st-key-{name}']"


T = f"""Number(document.querySelector("{widget("choose_seq_len")} input")?.value)"""


def link(server: str, e: Experiment, **extra: str) -> str:
    return f"{server}/playground?{urlencode(to_params(e) | extra)}"


def open_page(page: Page, url: str, figures: int = 3) -> None:
    """Open an address and wait for its pictures."""
    page.goto(url)
    wait_until(page, f"{DRAWN} === {figures} && {STEP} >= 0 && {STYLED}")
    expect(page.get_by_test_id("stException")).to_have_count(0)


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()


def full_speed(page: Page) -> None:
    page.locator(widget("speed")).get_by_text("max", exact=True).click()
    checked = page.locator(f"{widget('speed')} [aria-checked=true]")
    expect(checked).to_have_text("max")


def play_button(page: Page) -> Locator:
    return page.locator(".st-key-play button")


def params(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def wait_for_params(page: Page, **wanted: str) -> None:
    for name, value in wanted.items():
        wait_until(page, f"new URL(location).searchParams.get('{name}') === '{value}'")


# Training


def test_play_learns_moves_the_pictures_and_replaces_nothing_on_the_page(server: str, page: Page) -> None:
    open_page(page, f"{server}/playground")
    full_speed(page)
    page.evaluate(WATCH)
    press(page, "play")
    wait_until(page, f"{STEP} > 0")
    draws = "Number(document.querySelector('.st-key-timeline .live-figure').dataset.draws)"
    drawn, curve = page.evaluate(draws), page.evaluate(CURVE)
    wait_until(page, f"{draws} > {drawn + 5}")
    assert page.evaluate(CURVE) != curve
    chance = TASKS["recall"].chance_loss(Experiment())
    wait_until(page, f"{LOSS} < {0.1 * chance}")
    wait_until(page, f"{STEP} > 200")
    expect(play_button(page)).to_contain_text("Pause")
    press(page, "play")
    expect(play_button(page)).to_contain_text("Play")
    assert page.evaluate("window.replaced") == []


# Links


def test_a_deep_link_restores_the_experiment(server: str, page: Page) -> None:
    e = Experiment(
        topology="many-to-many",
        task="echo",
        seq_len=37,
        delay=12,
        layers=2,
        hidden_size=16,
        init="scaled-gaussian",
        gain=4.25,
        clip_norm=None,
        learning_rate=0.00123,
        seed=99,
    )
    open_page(page, link(server, e))
    expect_frame(page)
    assert params(page) == to_params(e)
    expect(page.get_by_role("combobox", name="Initialisation")).to_have_value(re.compile("Scaled Gaussian"))
    steps = "document.querySelector('.st-key-timeline .live-figure')._fullLayout.xaxis.range[1]"
    assert page.evaluate(steps) == pytest.approx(37.6)


def test_a_scenario_opens_by_its_link(server: str, page: Page) -> None:
    for preset in list(PRESETS.values())[-2:]:  # test_app.py opens all of them, without a browser
        open_page(page, link(server, preset.experiment))
        expect(page.locator(".story")).to_contain_text(preset.promise.replace("_", ""))
        assert params(page) == to_params(preset.experiment), preset.name


def test_a_run_that_breaks_off_teaches_and_can_be_rescued(server: str, page: Page) -> None:
    open_page(page, link(server, PRESETS["exploding"].experiment))
    full_speed(page)
    press(page, "play")
    expect(page.locator(".lesson")).to_contain_text(
        "The largest gradient of all weights had norm", timeout=30_000
    )
    wait_until(page, f"{DRAWN} === 2")  # the lesson stands where the answers were
    expect(play_button(page)).to_be_disabled()
    press(page, "remedy_0")
    wait_until(page, f"{DRAWN} === 3 && {STEP} > 10")
    wait_for_params(page, clip="1")
    expect(page.locator(".lesson")).to_have_count(0)


def test_back_leaves_the_app_as_it_was_entered(server: str, page: Page) -> None:
    """Once to the address as it was typed, once more to the page before: no loop without a way out."""
    page.goto(f"{server}/_stcore/health")
    open_page(page, f"{server}/playground")
    page.go_back()
    page.wait_for_timeout(1500)
    assert urlsplit(page.url).query == ""
    page.go_back()
    page.wait_for_timeout(500)
    assert urlsplit(page.url).path == "/_stcore/health"


def test_back_and_forward_lead_through_experiments_and_pages(server: str, page: Page) -> None:
    open_page(page, link(server, Experiment(seq_len=30)))
    for wanted in (31, 32):
        page.get_by_role("slider", name="Sequence length T").press("ArrowRight")
        wait_for_params(page, T=str(wanted))
    page.get_by_test_id("stTopNavLink").filter(has_text="Learn").click()
    wait_until(page, "location.pathname === '/why'")
    page.locator(".st-key-path").get_by_role("link", name="3 Types").click()
    wait_until(page, f"location.pathname === '/types' && {PARAMS}.get('T') === '32'")
    page.get_by_role("link", name="Try: Copy").click()
    wait_until(page, f"location.pathname === '/playground' && {PARAMS}.get('task') === 'copy'")
    wait_until(page, f"{T} === {TASKS['copy'].usual_length}")
    page.go_back()
    wait_until(page, f"location.pathname === '/types' && {PARAMS}.get('T') === '32'")
    while not page.evaluate("location.pathname === '/playground'"):
        page.go_back()  # the bare address that the navigation bar left, too
        page.wait_for_timeout(300)
    for wanted in (32, 31, 30):
        wait_until(page, f"{T} === {wanted} && {PARAMS}.get('T') === '{wanted}'")
        if wanted > 30:
            page.go_back()
    assert params(page) == to_params(Experiment(seq_len=30))
    for wanted in (31, 32):
        page.go_forward()
        wait_until(page, f"{T} === {wanted} && {PARAMS}.get('T') === '{wanted}'")


def test_back_is_heard_while_a_run_plays(server: str, page: Page) -> None:
    open_page(page, link(server, Experiment(seq_len=30)))
    page.get_by_role("slider", name="Sequence length T").press("ArrowRight")
    wait_for_params(page, T="31")
    press(page, "play")
    wait_until(page, f"{STEP} > 2")
    page.go_back()
    wait_until(page, f"{T} === 30 && {PARAMS}.get('T') === '30'")
    page.wait_for_timeout(1000)
    assert page.evaluate(f"{T} === 30 && {PARAMS}.get('T') === '30'"), "no late value brings the other back"


# Controls


def test_ones_own_choice_can_be_taken_back_while_a_run_plays(server: str, page: Page) -> None:
    open_page(page, f"{server}/playground")
    slider = page.get_by_role("slider", name="Sequence length T")
    press(page, "play")
    for key, wanted in (("ArrowRight", 21), ("ArrowLeft", 20), ("ArrowRight", 21), ("ArrowLeft", 20)):
        wait_until(page, f"{STEP} > 0")
        slider.press(key)
        wait_for_params(page, T=str(wanted))
        expect(play_button(page)).to_contain_text("Pause")  # the new run plays on
        assert page.evaluate("document.activeElement?.type") == "range", "the focus stays where it was"
    assert page.evaluate(T) == 20


def test_a_scenario_stays_open_although_reruns_bring_older_values(server: str, page: Page) -> None:
    open_page(page, f"{server}/playground")
    press(page, "play")
    wait_until(page, f"{STEP} > 2")
    page.get_by_role("combobox", name="Scenario").click()
    page.get_by_role("option", name=PRESETS["vanishing"].title).click()
    wait_for_params(page, T=str(PRESETS["vanishing"].experiment.seq_len), init="small-normal")
    wait_until(page, f"{STEP} > 2")
    page.wait_for_timeout(1000)
    assert params(page) == to_params(PRESETS["vanishing"].experiment)


def test_a_retuned_run_says_so_in_both_themes_and_on_a_projector(server: str, page: Page) -> None:
    open_page(page, f"{server}/playground")
    press(page, "step")
    wait_until(page, f"{STEP} === 1")
    page.get_by_role("slider", name="Learning rate").press("ArrowRight")
    retuned = page.locator(".retuned")
    expect(retuned).to_contain_text(
        "Retuned at update 1: learning rate 0.01, clipping at 1. The address starts"
    )
    for theme in ("dark", "light"):
        use_theme(page, theme)
        expect(retuned).to_be_visible()
    expect_on_screen(retuned)
    retuned.click()  # a key pressed in a slider is the slider's
    press_key(page, "l")
    wait_until(page, "location.search.includes('projector=true')")
    expect(retuned).to_be_visible()
    assert page.evaluate("(node => node.scrollWidth <= node.clientWidth)(document.querySelector('.retuned'))")
    press_key(page, "l")
    press(page, "reset")
    expect(retuned).to_have_count(0)


def test_a_slider_moves_by_keys_and_reaches_its_ends(server: str, page: Page) -> None:
    open_page(page, f"{server}/playground")
    clip = page.get_by_role("slider", name="Clip norm at")
    clip.press("Home")
    wait_for_params(page, clip="none")
    expect(page.locator(f"{widget('choose_clip_norm')} [data-testid=stSliderThumbValue]")).to_have_text("off")
    page.get_by_role("slider", name="Gain g").press("End")
    wait_for_params(page, gain="3", clip="none")


def test_keys_play_pause_and_step(server: str, page: Page) -> None:
    open_page(page, f"{server}/playground")
    press_key(page, "s")
    wait_until(page, f"{STEP} === 1")
    press_key(page, "s")
    wait_until(page, f"{STEP} === 2")
    press_key(page, "p")
    expect(play_button(page)).to_contain_text("Pause")
    wait_until(page, f"{STEP} > 4")
    press_key(page, "p")
    expect(play_button(page)).to_contain_text("Play")
    page.wait_for_timeout(1000)  # a busy browser still draws what it was sent
    still = page.evaluate(STEP)
    page.wait_for_timeout(1000)
    assert page.evaluate(STEP) == still


def test_tab_walks_through_the_controls(server: str, page: Page) -> None:
    open_page(page, f"{server}/playground")
    expect(page.get_by_role("combobox", name="Scenario")).to_be_visible()
    expect(page.get_by_role("slider", name="Gain g")).to_be_visible()
    opened = page.url
    focused = "document.activeElement.closest('[class*=st-key-]')?.className.match(/st-key-(\\w+)/)?.[1]"
    visited = []
    for _ in range(40):
        page.keyboard.press("Tab")
        visited.append(page.evaluate(focused))
    controls = [key for key in dict.fromkeys(visited) if key]
    expected = ["scenario", "choose_topology", "choose_task", "choose_seq_len", "choose_init", "choose_gain"]
    assert controls[: len(expected)] == expected, "the order of the eye"
    assert {"choose_learning_rate", "choose_clip_norm", "play", "step", "reset", "new_seed", "speed"} <= set(
        controls
    )
    assert page.evaluate(STEP) == 0, "walking changes nothing"
    assert page.url == opened


def test_typing_a_text_presses_no_button(server: str, page: Page) -> None:
    e = Experiment(task="characters", topology="many-to-many", seq_len=16, corpus="hello")
    open_page(page, link(server, e))
    page.get_by_text("Network and data").click()
    box = page.locator(".st-key-pasted_text textarea")
    box.click()
    page.keyboard.type("paste by night, step by step")
    expect(box).to_have_value("paste by night, step by step")
    assert page.evaluate(STEP) == 0
    expect(play_button(page)).to_contain_text("Play")
    assert params(page) == to_params(e)
    press(page, "use_text")
    wait_for_params(page, corpus="own", text="paste by night, step by step")


# What is seen


LONGEST = max(PRESETS.values(), key=lambda preset: len(preset.title + preset.promise))
DEEP = Experiment(layers=3, hidden_size=128, seq_len=50)


@pytest.mark.parametrize(
    ("e", "extra"),
    [(Experiment(), {}), (LONGEST.experiment, {}), (DEEP, {"colour": "nonsense" * 10, "T": "9999" * 9})],
    ids=["defaults", "longest promise", "three layers and a notice"],
)
def test_a_run_is_seen_without_scrolling(
    server: str, page: Page, e: Experiment, extra: dict[str, str]
) -> None:
    open_page(page, link(server, e, **extra))
    expect(page.locator(".notice")).to_have_count(1 if extra else 0)
    for part in (".st-key-run_bar", ".story", ".numbers", ".st-key-timeline .live-figure"):
        expect_on_screen(page.locator(part).first)
    expect_on_screen(page.locator(".st-key-progress .live-figure"))
    expect_on_screen(page.locator(".st-key-answers .live-figure"))


def test_the_pictures_turn_dark_and_light_with_the_visitors_system(server: str, page: Page) -> None:
    open_page(page, f"{server}/playground")
    paper = "document.querySelector('.st-key-timeline .live-figure')._fullLayout.paper_bgcolor"
    for theme in ("dark", "light"):
        use_theme(page, theme)
        wait_until(page, f"{paper} === '{THEMES[theme].paper}'")


def expect_on_screen(part: Locator) -> None:
    box = part.bounding_box()
    assert box is not None
    assert box["x"] >= 300, "under the sidebar"
    assert box["y"] >= 40, "under the bar"
    assert box["x"] + box["width"] <= 1280
    assert box["y"] + box["height"] <= 720, f"{part} ends at {box['y'] + box['height']:.0f} px"


@pytest.mark.parametrize("preset", [PRESETS["orthogonal"], PRESETS["echo"]], ids=lambda preset: preset.name)
def test_hovering_a_column_tells_everything_about_that_step(server: str, page: Page, preset: Preset) -> None:
    open_page(page, link(server, preset.experiment))
    t = 7
    place = page.evaluate(
        """t => {
          const node = document.querySelector('.st-key-timeline .live-figure');
          const { xaxis, yaxis2, _size } = node._fullLayout, box = node.getBoundingClientRect();
          return [box.x + xaxis._offset + xaxis.d2p(t), box.y + yaxis2._offset + yaxis2._length / 2];
        }""",
        t,
    )
    page.mouse.move(place[0] - 40, place[1])
    page.mouse.move(*place)
    told = "document.querySelector('.st-key-timeline .hoverlayer').textContent"
    wait_until(page, f"{told}.startsWith('t = {t}')")
    text = str(page.evaluate(told))
    assert re.match(rf"t = {t}(?!\d)", text)
    for row in ("reads", "unit", "whole loss"):
        assert row in text
