"""The documentation against the code."""

import json
import re
from pathlib import Path
from typing import Any, cast

from shared.models.job_file import JobFile
from shared.settings import Settings

ROOT = Path(__file__).parents[3]
CODE = re.compile(
    r"TD-(?:DROP|PLAN|GATE|BUDGET|SERVICE|INTERNAL|PROOF|DEADLINE|FILE|JOB|DEPLOYMENT|SETTING|HTTP|LEDGER|STORAGE|IDENTITY)-\d{3}"
)


def text(path: str) -> str:
    """A page of the documentation."""
    return (ROOT / "docs" / path).read_text(encoding="utf-8")


def test_index_names_every_page() -> None:
    """docs/README.md has a row for each page and folder beside it."""
    pages = {path.name for path in (ROOT / "docs").iterdir() if path.name != "images"}
    rows = set(re.findall(r"^\| \[([\w./-]+?)/?\]\(", text("README.md"), re.MULTILINE))
    assert rows == pages - {"README.md"}


SENTENCES = re.compile(r"[a-z)`][.!?] +[A-Z][a-z]+ [a-z]")


def test_every_sentence_of_a_page_has_its_own_line() -> None:
    """So a change shows as the sentence that it changes; tables, headings and code stay apart."""
    wrong: list[str] = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
        prose = re.sub(r"^(?:\||#|    |>|<).*$", "", prose, flags=re.MULTILINE)
        prose = re.sub(r"`[^`\n]*`", "`", prose)
        wrong += [f"{page.name}: {line}" for line in prose.splitlines() if SENTENCES.search(line)]
    assert wrong == []


def test_every_setting_has_a_heading() -> None:
    """docs/settings.md names each setting, and none that isn't there."""
    headings = set(re.findall(r"^## TUNEDROP_(\w+)$", text("settings.md"), re.MULTILINE))
    assert headings == {name.upper() for name in Settings.model_fields}


def test_every_field_of_the_job_file_is_told() -> None:
    """docs/settings.md names each field of job.json."""
    assert [name for name in JobFile.model_fields if f"`{name}" not in text("settings.md")] == []


def test_every_code_has_a_heading() -> None:
    """docs/errors.md explains each code that the app can answer, and no other."""
    sources = [
        p
        for folder in ("shared", "tunedrop_check", "activities", "orchestrators", "triggers")
        for p in (ROOT / folder).rglob("*.py")
    ]
    used = {code for path in sources for code in CODE.findall(path.read_text(encoding="utf-8"))}
    headings = set(re.findall(r"^## (TD-\w+-\d{3})$", text("errors.md"), re.MULTILINE))
    assert headings == used


def leaves(found: dict[str, Any]) -> dict[str, str]:
    """Every setting of a nested object by its own name, as JSON spells its value."""
    told: dict[str, str] = {}
    for name, value in found.items():
        told |= (
            leaves(cast("dict[str, Any]", value))
            if isinstance(value, dict)
            else {name: json.dumps(value).strip('"')}
        )
    return told


def test_every_concurrency_and_engine_setting_is_told_with_its_reason() -> None:
    """docs/operating.md has a row for each, with the value that host.json gives."""
    host: dict[str, Any] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    told: dict[str, str] = dict(
        re.findall(r"^\| `(\w+)` \| (\S+) \| .+ \|$", text("operating.md"), re.MULTILINE)
    )
    asked = leaves(host["extensions"]) | {"functionTimeout": host["functionTimeout"]}
    assert told == asked


def test_every_proof_that_the_security_page_names_is_there() -> None:
    """docs/security.md links tests; each of them is a file with tests in it."""
    linked = re.findall(r"\]\(\.\./(tests/\S+?\.py)\)", text("security.md"))
    assert len(linked) > 10
    assert [
        path for path in linked if "def test_" not in (ROOT / path).read_text(encoding="utf-8")
    ] == []
