"""Settings by environment variables: defaults, bounds, and what a bad value is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rnnviz.figures.kept_runs import DASHES
from rnnviz.figures.theme import DARK, LIGHT
from rnnviz.settings import VARIABLES, Settings, read

ROOT = Path(__file__).parents[1]
BOUNDS = {
    setting: tuple(int(n.replace(",", "")) for n in re.findall(r"[\d,]+", variable.expected))
    for setting, variable in VARIABLES.items()
    if variable.expected.startswith("a whole number")
}


def test_where_nothing_is_set_everything_has_its_default() -> None:
    assert read({}) == (Settings(), ())
    assert read({variable.name: "  " for variable in VARIABLES.values()}) == (Settings(), ())
    assert read({"RNNVIZ_CHROMIUM": "of the tests", "PATH": "/bin"}) == (Settings(), ())


@pytest.mark.parametrize("setting", BOUNDS)
def test_each_number_is_taken_up_to_its_bounds_and_no_further(setting: str) -> None:
    (least, most), variable = BOUNDS[setting], VARIABLES[setting]
    assert least <= getattr(Settings(), setting) <= most
    for value in (least, most):
        settings, problems = read({variable.name: f" {value} "})
        assert (getattr(settings, setting), problems) == (value, ())
    for wrong in (str(least - 1), str(most + 1), "many", "2.5", "-3", "1e2"):
        settings, (problem,) = read({variable.name: wrong})
        assert settings == Settings()
        assert problem.startswith(f"{variable.name} must be {variable.expected}; got '{wrong}'. Change it, ")


def test_sites_that_may_show_the_app_are_origins() -> None:
    sites = "https://lms.example.org http://localhost:8080 https://*.example.edu"
    assert read({"RNNVIZ_FRAME_ANCESTORS": sites})[0].frame_ancestors == tuple(sites.split())


@pytest.mark.parametrize(
    "wrong", ["*", "lms.example.org", "https://a.org/path", "https://a.org; script-src *", "https://a.org,b"]
)
def test_a_site_that_would_open_more_than_itself_is_refused(wrong: str) -> None:
    settings, (problem,) = read({"RNNVIZ_FRAME_ANCESTORS": wrong})
    assert settings.frame_ancestors == ()
    assert "must be origins such as" in problem


@pytest.mark.parametrize("address", ["tcp://scheduler:8786", "tls://10.0.0.5:8786", "tcp://[::1]:8786"])
def test_a_scheduler_is_an_address_with_a_port(address: str) -> None:
    assert read({"RNNVIZ_SCHEDULER": address}) == (Settings(scheduler=address), ())
    for wrong in (address.rpartition(":")[0], address.partition("//")[2], f"{address}/x"):
        assert len(read({"RNNVIZ_SCHEDULER": wrong})[1]) == 1


def test_all_bad_values_are_told_at_once() -> None:
    settings, problems = read({"RNNVIZ_WORKERS": "two", "RNNVIZ_MAX_RUNS": "20", "RNNVIZ_MAX_SWEEPS": "0"})
    assert settings == Settings(runs=20)
    assert [problem.split()[0] for problem in problems] == ["RNNVIZ_WORKERS", "RNNVIZ_MAX_SWEEPS"]


def test_every_run_of_the_longest_shelf_has_a_line_of_its_own() -> None:
    assert BOUNDS["kept_runs"][1] == len(DASHES) * min(len(LIGHT.series), len(DARK.series))


def test_a_setting_reaches_what_it_limits() -> None:
    report = (
        "from rnnviz.training.executor import WORKERS; from rnnviz.training.keyframes import MOST_BYTES\n"
        "from rnnviz.ui.run_registry import MOST_RUNS; from rnnviz.ui.sweep_registry import MOST_SWEEPS\n"
        "from rnnviz.ui.shelf import MOST; from rnnviz.ui.departures import MOST_CLOSED\n"
        "from rnnviz.ui.embedding import frame_ancestors; from rnnviz.training.executor import sweep_pool\n"
        "print(type(sweep_pool()).__name__, WORKERS, MOST_BYTES, MOST_RUNS, MOST_SWEEPS, MOST, MOST_CLOSED)\n"
        "print(frame_ancestors())"
    )
    values = {
        "RNNVIZ_WORKERS": "3",
        "RNNVIZ_RUN_MEMORY": "5",
        "RNNVIZ_MAX_RUNS": "6",
        "RNNVIZ_MAX_SWEEPS": "7",
        "RNNVIZ_MAX_KEPT_RUNS": "9",
        "RNNVIZ_MAX_CLOSED_TABS": "11",
        "RNNVIZ_FRAME_ANCESTORS": "https://a.org",
        "RNNVIZ_SCHEDULER": "tcp://127.0.0.1:1",
    }
    run = subprocess.run(
        [sys.executable, "-c", report],
        cwd=ROOT,
        env=os.environ | values,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["Cluster", "3", "5000000", "6", "7", "9", "11", "'self'", "https://a.org"]


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "streamlit", "run", "app.py", "--server.headless=true", "--server.port=0"],
        ["-m", "uvicorn", "app:app", "--port", "0"],
        ["-m", "rnnviz", "flow"],
    ],
    ids=["streamlit", "uvicorn", "command line"],
)
def test_nothing_starts_with_a_bad_value_and_a_sentence_says_why(command: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"RNNVIZ_WORKERS": "two"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode != 0
    assert "RNNVIZ_WORKERS must be a whole number from 1 to 256; got 'two'. Change it, or unset" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_table_of_settings_is_the_one_that_the_server_reads() -> None:
    text = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    rows = [f"| `{v.name}` | {v.default} | {v.expected} | {v.what} |" for v in VARIABLES.values()]
    assert re.findall(r"^\| `RNNVIZ_.*$", text, re.MULTILINE) == rows
