"""docs/emulator.md tells what there is, and nothing that is not."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tunedrop.emulator import faults
from tunedrop.emulator.app import create_app
from tunedrop.emulator.control import PREFIX, Control
from tunedrop.emulator.limits import Limits
from tunedrop.emulator.openai.requests import VERSIONS
from tunedrop.emulator.pace import NAMED
from tunedrop.emulator.regions import REGIONS
from tunedrop.emulator.service import Service
from tunedrop.emulator.switches import SOURCES, Switches
from tunedrop.emulator.world import Config

TEXT = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text below a heading."""
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_docs_name_every_operation() -> None:
    """The table of operations is that of the code."""
    service = Service(Config())
    there = service.management_plane.operations() + [
        operation
        for surface in ("v1", "api-version")
        for operation in service.data_plane.operations(surface)
    ]
    told = set(
        re.findall(
            r"`([a-z_]+(?:\.[a-z_]+)+)`",
            section("What it imitates").partition("\nEverything else")[0],
        )
    )
    assert told == {operation.name for operation in there}


@pytest.mark.parametrize("name", [*Limits().to_json()])
def test_docs_name_every_limit(name: str) -> None:
    """Each limit stands in the table."""
    assert f"`{name}`" in section("Limits")


@pytest.mark.parametrize(("name", "value"), Switches().to_json().items())
def test_docs_name_every_switch_with_its_default(name: str, value: Any) -> None:
    """Each switch stands in the table with its default."""
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    assert re.search(rf"\| `{name}` \| `?{shown}`? \|", section("Switches"))


@pytest.mark.parametrize("name", Switches().to_json())
def test_docs_name_the_source_of_every_switch(name: str) -> None:
    """What a default rests on stands beside it, as in the code: a source, or that it is assumed."""
    (row,) = [line for line in section("Switches").splitlines() if line.startswith(f"| `{name}` |")]
    assert row.endswith(f"| {SOURCES[name]} |")
    assert len(SOURCES[name]) > 6


@pytest.mark.parametrize("name", [*REGIONS])
def test_docs_name_every_region(name: str) -> None:
    """Each region stands in the table."""
    assert f"| `{name}`" in section("Regions")


@pytest.mark.parametrize("name", [*NAMED])
def test_docs_name_every_pace(name: str) -> None:
    """Each pace stands in the table."""
    assert f"`{name}`" in section("Pace")


@pytest.mark.parametrize("name", [*faults.PRESETS])
def test_docs_name_every_named_fault(name: str) -> None:
    """Each name of a fault is told."""
    assert f"`{name}`" in section("Faults")


def test_docs_name_every_control() -> None:
    """The calls of the control surface are those of the code."""
    told = set(re.findall(r"`((?:GET|PUT|POST|DELETE) [a-z]+)`", section("Control surface")))
    routes = Control(Service(Config())).routes()
    there = {
        f"{method} {route.path.removeprefix(PREFIX + '/')}"
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert told == there


def test_docs_name_every_version() -> None:
    """The api-versions are told."""
    assert all(version in section("What it imitates") for version in VERSIONS)


def test_examples_of_faults_are_faults() -> None:
    """The plans in the page can be used as they stand."""
    plans = [
        json.loads(block)
        for block in re.findall(r"```json\n(.*?)```", section("Faults"), re.DOTALL)
    ]
    assert [len([faults.parse(fault) for fault in plan]) for plan in plans] == [8, 5]
    assert len(faults.read(Path(__file__).parents[3] / "examples" / "faults.json")) == 6
    create_app(Config(faults=plans[0]))
