"""The documentation against the code."""

import re
from pathlib import Path

from shared.models.job_file import JobFile
from shared.settings import Settings

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"TD-(?:DROP|PLAN|GATE|BUDGET|SERVICE|INTERNAL|SETTING|HTTP)-\d{3}")


def text(path: str) -> str:
    """A page of the documentation."""
    return (ROOT / "docs" / path).read_text(encoding="utf-8")


def test_every_setting_has_a_heading() -> None:
    """docs/settings.md names each setting, and none that isn't there."""
    headings = set(re.findall(r"^## TUNEDROP_(\w+)$", text("settings.md"), re.MULTILINE))
    assert headings == {name.upper() for name in Settings.model_fields}


def test_every_field_of_the_job_file_is_told() -> None:
    """docs/settings.md names each field of job.json."""
    assert [name for name in JobFile.model_fields if f"`{name}" not in text("settings.md")] == []


def test_every_code_has_a_heading() -> None:
    """docs/errors.md explains each code that the app can answer, and no other."""
    sources = [p for folder in ("shared", "activities", "orchestrators", "triggers") for p in (ROOT / folder).rglob("*.py")]
    used = {code for path in sources for code in CODE.findall(path.read_text(encoding="utf-8"))}
    headings = set(re.findall(r"^## (TD-\w+-\d{3})$", text("errors.md"), re.MULTILINE))
    assert headings == used
