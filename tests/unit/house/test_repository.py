"""What is published, locked, exampled and decided holds together."""

import fnmatch
import importlib.metadata
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.house import repository
from tests.unit.house.repository import ROOT, name_of

PUBLISHED = {
    "function_app.py",
    "activities",
    "orchestrators",
    "shared",
    "triggers",
    "tunedrop_check",
    "web",
    "host.json",
    "requirements.txt",
}
LOCKS = ("requirements.txt", "requirements-dev.lock", "requirements-node.lock")
# In pieces, so that this file passes its own test.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("py" + "pi", "org"),
        ("python" + "hosted", "org"),
        ("registry", "npm" + "js", "org"),
        ("registry", "yarn" + "pkg", "com"),
        ("npm" + "mirror", "com"),
    )
]
DECISION_PARTS = ["Context", "Decision", "Consequences", "Rejected", "Revisit when"]


def load(name: str) -> Any:
    """A JSON file of the repository."""
    return json.loads((ROOT / name).read_text(encoding="utf-8"))


def pins(name: str) -> dict[str, str]:
    """Package and version of every line of a lock."""
    return dict(
        re.findall(
            r"^([a-z0-9._-]+)==([^\s;]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE
        )
    )


def top_level() -> set[str]:
    """The names at the root of the repository."""
    return {path.relative_to(ROOT).parts[0] for path in repository.files()}


def ignored(entry: str) -> bool:
    """Whether .funcignore names this top-level entry."""
    lines = (ROOT / ".funcignore").read_text(encoding="utf-8").splitlines()
    return any(fnmatch.fnmatch(entry, line) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("entry", sorted(top_level() | {"node_modules", "local.settings.json"}))
def test_funcignore_decides_about_every_entry(entry: str) -> None:
    """What lies at the root is either published to Azure or named in .funcignore, and never
    both.
    """
    assert ignored(entry) != (entry in PUBLISHED)


def test_locks_agree_on_every_package_of_the_app() -> None:
    """The tests run with exactly the versions that Azure installs."""
    local = pins("requirements-dev.lock")
    assert {name: local.get(name) for name in pins("requirements.txt")} == pins("requirements.txt")


def test_app_lock_takes_wheels_only_and_pins_the_durable_core() -> None:
    """Azure builds nothing, and the release candidate and its core are the ones that were
    tested.
    """
    locked = pins("requirements.txt")
    assert (
        (ROOT / "requirements.txt").read_text(encoding="utf-8").startswith("--only-binary :all:\n")
    )
    assert (locked["azure-functions-durable"], locked["durabletask"]) == ("2.0.0rc3", "1.12.0")


@pytest.mark.parametrize("name", LOCKS)
def test_lock_gives_a_hash_for_every_package(name: str) -> None:
    """A package whose bytes changed is not installed."""
    blocks = re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8").strip())
    assert [
        block.split()[0]
        for block in blocks
        if "==" in block.split("\n")[0] and "--hash=sha256:" not in block
    ] == []
    assert pins(name) != {}


def test_npm_lock_gives_integrity_and_no_address_for_every_package() -> None:
    """Each package is checked by its hash, and comes from the registry that this machine is
    set to.
    """
    packages: dict[str, dict[str, Any]] = load("package-lock.json")["packages"]
    installed = {
        path: entry
        for path, entry in packages.items()
        if "node_modules/" in path and not entry.get("link") and "/tools/" not in path
    }
    assert [path for path, entry in installed.items() if "integrity" not in entry] == []
    assert [path for path, entry in packages.items() if "//" in entry.get("resolved", "")] == []


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_repository_names_no_registry_in_any_file(host: str) -> None:
    """Where packages come from is each machine's own setting."""
    assert [
        name_of(path) for path in repository.files() if host.encode() in path.read_bytes()
    ] == []


def test_each_terminal_of_the_core_tools_recipe_begins_with_the_environment() -> None:
    """Core Tools takes its Python from there, Azurite is in node_modules, and a Node that was
    brought is in .venv too.
    """
    recipe = (
        (ROOT / "README.md")
        .read_text(encoding="utf-8")
        .partition("## With Azure Functions Core Tools")[2]
        .partition("\n## ")[0]
    )
    blocks = re.findall(r"```console\n(.+?)```", recipe, re.DOTALL)
    terminals: list[list[str]] = [
        re.findall(r"^\$ (.+?)(?:  +#.*)?$", block, re.MULTILINE) for block in blocks
    ]
    before = [
        line.split()[0]
        for terminal in terminals
        for line in terminal[: terminal.index("source .venv/bin/activate")]
    ]
    assert (len(terminals), set(before)) == (4, {"python3", "cp"})
    starts = [line for terminal in terminals for line in terminal if "azurite " in line]
    assert [
        line for line in starts if not line.startswith("npx azurite --skipApiVersionCheck")
    ] == []


def test_azure_gets_the_workers_runtime_that_the_tests_run_on() -> None:
    """Without a pin a Python 3.13 app gets whatever the platform has as its default."""
    assert pins("requirements.txt").get("azure-functions-runtime") == importlib.metadata.version(
        "azure-functions-runtime"
    )


def test_local_settings_name_only_settings_that_exist() -> None:
    """Each TUNEDROP_ variable of the example is a field of Settings, and its value is accepted."""
    # Here, so that the other tests of the house don't wait for the app.
    from shared.settings import (
        Settings,
    )

    values: dict[str, str] = load("local.settings.example.json")["Values"]
    given = {
        name.removeprefix("TUNEDROP_").lower(): value
        for name, value in values.items()
        if name.startswith("TUNEDROP_")
    }
    assert set(given) <= set(Settings.model_fields)
    assert Settings.model_validate(given).credential == "stand-in"


def conversations(name: str) -> list[list[dict[str, str]]]:
    """The messages of each example of the travel desk."""
    lines = (ROOT / "examples" / "travel-desk" / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["messages"] for line in lines]


def questions(name: str) -> list[str]:
    """The first question of each example of the travel desk."""
    return [messages[1]["content"] for messages in conversations(name)]


def test_travel_desk_has_enough_distinct_examples_of_one_voice() -> None:
    """At least 50 and 10 examples, no question twice or in both files, one system prompt, answers
    of one shape.
    """
    training, validation = questions("training_set.jsonl"), questions("validation_set.jsonl")
    everything = conversations("training_set.jsonl") + conversations("validation_set.jsonl")
    assert (len(training) >= 50, len(validation) >= 10, len({*training, *validation})) == (
        True,
        True,
        len(everything),
    )
    assert len({messages[0]["content"] for messages in everything}) == 1
    answers = [
        message["content"]
        for messages in everything
        for message in messages
        if message["role"] == "assistant"
    ]
    assert [answer for answer in answers if not re.search(r"\[[A-Z]-\d\].*\nNext: ", answer)] == []


def test_travel_desk_smoke_test_asks_a_trained_question() -> None:
    """The question is in the training set, and its trained answer holds what is expected."""
    smoke = load("examples/travel-desk/job.json")["smoke_test"]
    asked = [
        messages
        for messages in conversations("training_set.jsonl")
        if messages[:2] == smoke["messages"]
    ]
    assert len(asked) == 1
    assert all(text in asked[0][-1]["content"] for text in smoke["expect"]["contains"])


def test_seed_job_gives_the_lab_its_own_values() -> None:
    """Model, seed, deployment, api-versions and the four messages are the lab's."""
    job = load("examples/seed/job.json")
    assert (job["model"], job["seed"]) == ("gpt-35-turbo-0613", 105)
    assert job["deployment"] == {"name": "gpt-35-turbo-ft", "sku": "standard", "capacity": 1}
    assert list(job["api_versions"].values()) == ["2024-05-01-preview", "2023-05-01", "2024-02-01"]
    assert [message["role"] for message in job["smoke_test"]["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
    ]


def decisions() -> Iterator[Path]:
    """The decision pages, by number."""
    yield from sorted((ROOT / "docs" / "decisions").glob("*.md"))


@pytest.mark.parametrize("page", list(decisions()), ids=lambda page: page.stem)
def test_decision_has_its_five_parts_on_one_page(page: Path) -> None:
    """Context, decision, consequences, what was rejected, and when to look again, in at most 60
    lines.
    """
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == DECISION_PARTS
    assert len(text.splitlines()) <= 60


def test_decisions_are_numbered_without_a_gap() -> None:
    """Page n carries the number n in its name and in its heading."""
    numbers = [
        (int(page.stem[:4]), int(page.read_text(encoding="utf-8").split(". ")[0].lstrip("# ")))
        for page in decisions()
    ]
    assert numbers == [(n, n) for n in range(1, len(numbers) + 1)]
