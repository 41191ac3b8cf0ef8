"""One rule of the data, or one code of a run, by its code."""

import difflib
import re
from pathlib import Path

import msgspec

from .. import CannotCheck
from ..rules import format_rules
from ..rules.rule import Rule

_PREFIX = "TD-DATA-"
_OF_A_RUN = re.compile(r"TD-(?!DATA-)[A-Z]{2,12}-[0-9]{3}")
_DATA_REJECTED = "TD-DROP-006"
_PAGE = "docs/errors.md"


class RunCode(msgspec.Struct, frozen=True):
    """A code that a run ends with; `documented` is the heading that explains it."""

    code: str
    explanation: str
    documented: str


def explain(code: str, errors: Path | None) -> Rule | RunCode:
    """What a code such as `TD-DATA-103`, `103` or `TD-DROP-006` stands for; `errors` is the page of
    the codes of runs, where it is there.

    Raises:
        CannotCheck: There is no such code; the nearest one is named. Or the page that explains it
            isn't here.
    """
    wanted = code.strip().upper()
    return of_run(wanted, errors) if _OF_A_RUN.fullmatch(wanted) else rule(code)


def of_run(code: str, errors: Path | None) -> RunCode:
    """A code of a run, as the page explains it."""
    documented = f"{_PAGE}#{code.lower()}"
    told = _headings(errors).get(code, "")
    if not told and code == _DATA_REJECTED:
        told = (
            "The data has errors, so the run ended before anything was uploaded or paid. This "
            "command finds the same errors in your files."
        )
    if not told:
        raise CannotCheck(
            f"{code} is a code of a run, not of data; {_PAGE} of TuneDrop lists them."
        )
    return RunCode(code, told, documented)


def _headings(errors: Path | None) -> dict[str, str]:
    """The paragraphs of the page by their heading."""
    if errors is None or not errors.is_file():
        return {}
    _, *sections = re.split(r"^## ", errors.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        heading.strip(): " ".join(body.split())
        for heading, _, body in (section.partition("\n") for section in sections)
    }


def rule(code: str) -> format_rules.Rule:
    """The rule of a code such as `TD-DATA-103`, `td-data-103` or `103`.

    Raises:
        CannotCheck: There is none; the nearest one is named.
    """
    wanted = code.strip().upper()
    wanted = wanted if wanted.startswith(_PREFIX) else f"{_PREFIX}{wanted}"
    found = format_rules.RULES.get(wanted)
    if found is None:
        nearest = format_rules.RULES[
            max(
                format_rules.RULES,
                key=lambda known: difflib.SequenceMatcher(None, known, wanted[:64]).ratio(),
            )
        ]
        raise CannotCheck(
            f"There is no rule with this code; the nearest one is {nearest.code}, {nearest.title}."
        )
    return found
