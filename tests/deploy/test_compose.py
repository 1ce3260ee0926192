"""The compose file: everything confined, and every name in it is that of something."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from streamlit import config

from rnnviz.settings import VARIABLES, read
from tests.deploy.containerfile import image

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_container_is_confined(service: str) -> None:
    found = SERVICES[service]
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["tmpfs"]
    assert found["healthcheck"]["test"][0] == "CMD"
    assert {"cpus", "mem_limit", "pids_limit"} <= set(found)
    assert set(found["networks"]) <= set(COMPOSE["networks"])


def test_only_nginx_can_be_reached_from_outside_and_the_cluster_only_from_the_replicas() -> None:
    assert [name for name, found in SERVICES.items() if "ports" in found] == ["nginx"]
    assert COMPOSE["networks"]["cluster"] == {"internal": True}
    assert SERVICES["nginx"]["networks"] == ["front"]
    for name in ("scheduler", "worker1", "worker2"):
        assert SERVICES[name]["networks"] == ["cluster"]


def test_every_file_that_it_names_exists() -> None:
    for found in SERVICES.values():
        for volume in found.get("volumes", []):
            assert (DEPLOY / volume.split(":")[0]).is_file()
        if "build" in found:
            assert (DEPLOY / found["build"]["context"] / found["build"]["dockerfile"]).is_file()


def test_every_variable_is_one_that_the_app_reads_and_has_a_value_that_it_takes() -> None:
    ours = {variable.name for variable in VARIABLES.values()}
    streamlits = {
        "STREAMLIT_" + re.sub(r"(?<=[a-z])(?=[A-Z])|\.", "_", key).upper()
        for key in config._config_options_template
    }
    environments = [found.get("environment", {}) for found in SERVICES.values()] + [image().environment]
    for environment in environments:
        for name, value in environment.items():
            if name.startswith("RNNVIZ_"):
                assert name in ours
            if name.startswith("STREAMLIT_"):
                assert name in streamlits
            assert isinstance(value, str), f"{name} without quotes is not a string"
        assert read(environment)[1] == ()


def test_nginx_looks_for_the_replicas_where_they_listen() -> None:
    nginx = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    listening = {
        f"{name}:{found['environment']['STREAMLIT_SERVER_PORT']}"
        for name, found in SERVICES.items()
        if name.startswith("replica")
    }
    assert set(re.findall(r"server (replica\d:\d+)", nginx)) == listening
    published = SERVICES["nginx"]["ports"][0].split(":")[-1]
    assert re.findall(r"listen (\d+);", nginx) == [published]


def test_replicas_and_workers_look_for_the_scheduler_where_it_listens() -> None:
    command = SERVICES["scheduler"]["command"]
    address = f"tcp://scheduler:{command[command.index('--port') + 1]}"
    for name, found in SERVICES.items():
        if name.startswith("replica"):
            assert found["environment"]["RNNVIZ_SCHEDULER"] == address
        if name.startswith("worker"):
            assert found["command"][:3] == ["dask", "worker", address]


def test_the_guide_names_files_that_exist_and_the_measured_figures() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for file in re.findall(r"\]\((?!https?:)([^)#]+)", guide):
        assert (ROOT / "docs" / file).exists(), file
    thirty = next(
        line for line in readme.splitlines() if line.startswith("| a class of thirty at full speed")
    )
    calm = next(line for line in readme.splitlines() if line.startswith("| thirty at 5 updates a second"))
    hundred = next(line for line in readme.splitlines() if line.startswith("| a hundred at full speed"))
    assert re.findall(r"each get ([\d.]+) pictures", guide) == re.findall(r"\| ([\d.]+), [\d.]+;", thirty)
    assert re.findall(r"takes ([\d.]+) of a core", guide) == re.findall(r"; ([\d.]+) \| 4;", calm)
    assert re.findall(r"students at full speed get ([\d.]+)", guide) == re.findall(r"\| ([\d.]+);", hundred)
