"""The image's own steps in a folder in place of a container: built by one user, served by another."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from rnnviz import Experiment
from tests.deploy.containerfile import ROOT, image

IMAGE = image()
BUILDER = IMAGE.user + 1
"""Another user builds, so that the server owns none of its files, as in the image."""


def python_for_all() -> str | None:
    """An interpreter of the image's version that any user may run, with all that a new environment needs."""
    for candidate in ("/usr/bin/python3.11", "/usr/local/bin/python3.11", sys.executable):
        asked = [candidate, "-c", "import sys, venv, ensurepip; assert sys.version_info[:2] == (3, 11)"]
        try:
            subprocess.run(as_user(BUILDER, asked), check=True, capture_output=True, cwd="/")
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    return None


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def as_user(user: int, command: list[str]) -> list[str]:
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs", *command]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's own."""
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can build as one user and serve as another")
    made = Path(tempfile.mkdtemp(prefix="rnnviz-image-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def copy_sources(to: Path) -> None:
    """Do the first stage's COPY steps; what they copy must be all that the build needs."""
    for sources, target in IMAGE.copies:
        for source in sources:
            whole, there = ROOT / source, to / target.removeprefix("/")
            if whole.is_dir():
                shutil.copytree(whole, there, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                there.mkdir(parents=True, exist_ok=True)
                shutil.copy(whole, there)


def written_by(user: int) -> set[str]:
    """All files and folders of a user where anybody may write."""
    found = subprocess.run(
        ["/usr/bin/find", "/tmp", "/var/tmp", "/dev/shm", "-xdev", "-user", str(user)],  # noqa: S108
        capture_output=True,
        text=True,
        check=False,
    )
    return set(found.stdout.split())


def answer(url: str, seconds: float, process: subprocess.Popen[bytes]) -> str:
    """Ask until there is an answer."""
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as page:
                return str(page.read().decode())
        except OSError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.2)


def cluster_measures(
    folder: Path, arguments: Callable[[list[str]], list[str]], environment: dict[str, str]
) -> None:
    """Start compose's scheduler and a worker from the same files; the worker finds the library."""
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    port = free_port()
    replaced = {"8786": str(port), "tcp://scheduler:8786": f"tcp://127.0.0.1:{port}"}
    replaced["/tmp"] = environment["TMPDIR"]  # noqa: S108
    asked = (
        "import sys, distributed; client = distributed.Client(sys.argv[1], timeout=20); "
        "print(client.submit(lambda: __import__('rnnviz').Experiment().seq_len).result(30))"
    )
    with ExitStack() as running, (folder / "log").open("ab") as log:
        for command in (
            [*services["scheduler"]["command"], "--host", "127.0.0.1"],
            [*services["worker1"]["command"], "--host", "127.0.0.1"],
        ):
            there = arguments([replaced.get(word, word) for word in command])
            process = subprocess.Popen(there, env=environment, cwd="/", stdout=log, stderr=log)
            running.callback(process.wait, 20)
            running.callback(process.terminate)
        client = subprocess.run(
            arguments(["python", "-c", asked, f"tcp://127.0.0.1:{port}"]),
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    assert client.stdout.strip() == str(Experiment().seq_len), client.stderr[-2000:]


def test_the_images_steps_give_a_server_that_writes_to_its_scratch_folder_alone(folder: Path) -> None:
    python = python_for_all()
    if python is None:
        pytest.skip("no Python 3.11 that other users may run")
    scratch = folder / "tmp"
    copy_sources(folder)
    (folder / "opt").mkdir()
    scratch.mkdir(mode=0o700)
    os.chown(folder / "opt", BUILDER, BUILDER)
    os.chown(scratch, IMAGE.user, IMAGE.user)

    def here(text: str) -> str:
        return text.replace("/opt/rnnviz", f"{folder}/opt/rnnviz").replace("/source/", f"{folder}/source/")

    settings = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    for_build = settings | {
        "PATH": "/usr/bin:/bin",
        "PYTHON": python,
        "HOME": str(folder / "opt"),
        "TMPDIR": str(folder / "opt"),
    }
    built = subprocess.run(
        as_user(BUILDER, [here(argument) for argument in IMAGE.build]),
        env=for_build | {"PIP_COMPILE": "0"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-2000:]
    made = folder / "opt" / "rnnviz"
    assert not [path for path in made.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o222]

    environment = {
        name: str(scratch) if value == "/tmp" else here(value)  # noqa: S108
        for name, value in IMAGE.environment.items()
    }
    # In the image pip has compiled all modules; here the first process that needs one does it for all.
    environment |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(scratch / "compiled")}
    port = free_port()
    environment |= {"STREAMLIT_SERVER_ADDRESS": "127.0.0.1", "STREAMLIT_SERVER_PORT": str(port)}
    before = written_by(IMAGE.user)

    def arguments(command: list[str]) -> list[str]:
        found = shutil.which(command[0], path=environment["PATH"])
        assert found is not None
        return as_user(IMAGE.user, [found, *command[1:]])

    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            arguments(IMAGE.command), env=environment, cwd=here(IMAGE.folder), stdout=log, stderr=log
        )
        try:
            assert '"workers":"answer"' in answer(f"http://127.0.0.1:{port}/healthz", 30, server)
            assert "<title>Streamlit</title>" in answer(f"http://127.0.0.1:{port}/", 5, server)
            health = subprocess.run(arguments(IMAGE.health), env=environment, cwd="/", check=False)
            assert health.returncode == 0
        finally:
            server.terminate()
            ended = server.wait(20)
    assert ended == 0, (folder / "log").read_text()[-2000:]
    cluster_measures(folder, arguments, environment)
    beside = {path for path in written_by(IMAGE.user) - before if not path.startswith(str(scratch))}
    assert not beside
    stopped = subprocess.run(
        arguments(IMAGE.health), env=environment, cwd="/", capture_output=True, check=False
    )
    assert stopped.returncode != 0, "nothing answers, and the health check is content"
