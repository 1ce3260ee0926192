"""`pip install .` gives the library in every folder, with the dependencies that it declares and no others."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import venv
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NOT_SHOWN = (
    "import plotly.graph_objects as go\ngo.Figure.show = lambda figure: print(len(figure.to_json()))\n"
)
"""A figure is written out in full, but opens no browser."""


def needed(requirements: list[str]) -> dict[str, metadata.Distribution]:
    """The distributions that fulfil the requirements, and all that these need in turn, by name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [Requirement(line) for line in requirements]
    while waiting:
        wanted = waiting.pop()
        if wanted.name in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        found[wanted.name] = distribution = metadata.distribution(wanted.name)
        assert wanted.specifier.contains(distribution.version), wanted
        waiting += map(Requirement, distribution.requires or [])
    return found


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with the library in it.

    The dependencies are links to those installed here, and only what the library declares is linked, so
    that an undeclared one is missed; fetching and unpacking them anew would take 20 s and a network.
    """
    source, environment = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("environment")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "rnnviz", source / "rnnviz", ignore=shutil.ignore_patterns("__pycache__"))
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    where = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip())
    for distribution in needed(PROJECT["dependencies"]).values():
        for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            (packages / top).symlink_to(Path(str(distribution.locate_file(top))))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--no-index", "--target", packages, source], check=True)
    return python


def run(python: Path, code: str, folder: Path) -> str:
    ended = subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_first_example_runs_in_another_folder(python: Path, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)[0]
    where = "print(rnnviz.__file__, *{name.split('.')[0] for name in __import__('sys').modules})"
    flow, metric, figure, modules = run(python, f"{NOT_SHOWN}{example}{where}", tmp_path).splitlines()
    assert flow.startswith("vanishing -60.")
    assert float(metric) == pytest.approx(0.27, abs=0.02)
    assert int(figure) > 10_000
    assert str(ROOT) not in modules
    assert "streamlit" not in modules.split()


def test_the_command_is_installed(python: Path, tmp_path: Path) -> None:
    (command,) = python.parents[1].rglob("bin/rnnviz")
    ended = subprocess.run(
        [python, command, "flow", "--T", "3"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert [line.split()[0] for line in ended.stdout.splitlines()[-3:]] == ["1", "2", "3"]


def test_everything_but_the_app_comes_with_the_declared_dependencies(python: Path, tmp_path: Path) -> None:
    """Every module is imported, and every file of data is there."""
    names = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in (ROOT / "rnnviz").rglob("*.py")
        if ROOT / "rnnviz" / "ui" not in file.parents and file.name != "__init__.py"
    ]
    assert len(names) > 50
    run(python, "\n".join(f"import {name}" for name in names), tmp_path)
    folder = "import rnnviz, pathlib; print(pathlib.Path(rnnviz.__file__).parent)"
    installed = Path(run(python, folder, tmp_path).strip())
    here = {file.relative_to(ROOT / "rnnviz") for file in (ROOT / "rnnviz").rglob("*") if file.is_file()}
    missing = {file for file in here if file.suffix != ".pyc" and not (installed / file).exists()}
    assert not missing


def test_the_app_needs_the_same_as_its_requirements_say() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    declared = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["app"]
    assert sorted(line for line in lines if not line.startswith("#")) == sorted(declared)
