"""Imports go one way, from package to package, and the README's map names every module."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "model", "tasks", "experiment", "training", "analysis", "applications", "teaching", "export", "figures",
    "command_line", "ui",
)  # fmt: skip
LAYERS = ("settings.py", *PACKAGES[:-3], "rnnviz", *PACKAGES[-3:], "pages", "app.py")
"""From the lowest to the highest. ``rnnviz`` is the library's own door, rnnviz/__init__.py."""

FORBIDDEN = {
    layer: {"streamlit"} if layer in ("figures", "command_line") else {"streamlit", "plotly", "_plotly_utils"}
    for layer in LAYERS[: LAYERS.index("ui")]
}
INSTALL = "python3 -m venv .venv && .venv/bin/pip install -q -r tests/requirements.txt"
TEST_COMMAND = f"{INSTALL} && .venv/bin/python -m pytest"
SOURCES = sorted([ROOT / "app.py", *(ROOT / "rnnviz").rglob("*.py"), *(ROOT / "pages").rglob("*.py")])
LAZY = {("rnnviz/__init__.py", "rnnviz.figures")}
"""Imports on first use, which a test below runs: nothing but the library's own door may do so."""


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def layer_of(path: str) -> str:
    """The layer of a file ("rnnviz/ui/run_panel.py") or a module ("rnnviz.ui.run_panel")."""
    parts = path.replace("app.py", "app").removesuffix(".py").replace("/", ".").split(".")
    if parts[0] in ("app", "pages"):
        return "app.py" if parts[0] == "app" else "pages"
    if parts[1:] == ["__main__"]:
        return "command_line"
    if parts[1:2] == ["settings"]:
        return "settings.py"
    return parts[1] if len(parts) > 1 and parts[1] in PACKAGES else "rnnviz"


def imports(file: Path) -> set[str]:
    """Full names of everything that a file imports, also inside functions and by importlib."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(file)} imports relatively"
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            assert isinstance(node.args[0], ast.Constant), f"{name_of(file)} imports what no one can know"
            found.add(str(node.args[0].value))
    return {module for module in found if (name_of(file), module) not in LAZY}


def imported_packages(file: Path) -> set[str]:
    return {module.split(".")[0] for module in imports(file)}


def test_no_file_imports_from_a_layer_above_its_own() -> None:
    for file in SOURCES:
        ours = {module for module in imports(file) if module.split(".")[0] in ("rnnviz", "pages", "app")}
        own = LAYERS.index(layer_of(name_of(file)))
        above = {module for module in ours if LAYERS.index(layer_of(module)) > own}
        assert not above, f"{name_of(file)} reaches up to {above}"


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_a_layer_does_without_the_tools_of_the_ones_above(layer: str) -> None:
    for file in SOURCES:
        if layer_of(name_of(file)) == layer:
            assert not imported_packages(file) & FORBIDDEN[layer], name_of(file)


def test_no_page_polls() -> None:
    """News comes over the live channel."""
    for file in SOURCES:
        assert "run_every" not in file.read_text(encoding="utf-8"), name_of(file)


def test_every_gradient_is_our_own() -> None:
    frameworks = {"torch", "jax", "tensorflow", "keras", "sklearn", "autograd", "equinox", "flax"}
    for file in SOURCES:
        assert not imported_packages(file) & frameworks, name_of(file)


def test_the_rules_are_applied_to_every_layer() -> None:
    assert {layer_of(name_of(file)) for file in SOURCES} == set(LAYERS)
    assert layer_of("rnnviz.figures.timeline") == "figures"
    assert layer_of("rnnviz") == layer_of("rnnviz/__init__.py") == "rnnviz"
    assert layer_of("rnnviz/__main__.py") == "command_line"
    assert {
        folder.name for folder in (ROOT / "rnnviz").iterdir() if (folder / "__init__.py").exists()
    } == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_says_what_is_in_it_and_what_it_may_import(package: str) -> None:
    text = ast.get_docstring(
        ast.parse((ROOT / "rnnviz" / package / "__init__.py").read_text(encoding="utf-8"))
    )
    assert text, package
    assert re.search("import", text, re.IGNORECASE), f"{package} does not say what it may import"


def mapped() -> dict[str, set[str]]:
    """The modules that the README's map names, by package."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme[readme.index("## Code map") : readme.index("**To add a task:**")]
    rows = re.findall(r"^\| `rnnviz/(.*?)/` \|(.*)\|$", section, re.MULTILINE)
    return {package: set(re.findall(r"`([a-z_]+(?:/[a-z_]+)?)`", row)) for package, row in rows}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_map_names_every_module_and_none_that_is_not_there(package: str) -> None:
    folder = ROOT / "rnnviz" / package
    files = [file.relative_to(folder).with_suffix("") for file in folder.rglob("*.py")]
    there = {str(file) for file in files if file.name != "__init__"}
    assert mapped()[package] == there


def loaded_after(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter holds after running ``code``."""
    report = f"{code}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", report], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_library_works_without_streamlit_and_plotly() -> None:
    loaded = loaded_after("import rnnviz\nrnnviz.train(rnnviz.Experiment(seq_len=3), 2)")
    assert {"rnnviz", "numpy"} <= loaded
    assert not loaded & {"streamlit", "plotly"}


def test_the_figures_come_with_plotly_alone() -> None:
    loaded = loaded_after("import rnnviz\nrnnviz.figures.timeline")
    assert "plotly" in loaded
    assert "streamlit" not in loaded


@pytest.mark.parametrize("file", ["README.md", ".ci/run"])
def test_the_command_that_runs_the_tests_is_the_same_everywhere(file: str) -> None:
    assert TEST_COMMAND in (ROOT / file).read_text(encoding="utf-8")
