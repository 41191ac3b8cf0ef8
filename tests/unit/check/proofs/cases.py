"""What a rule is proven with: inputs that break it, each with the places of all its findings, and
near misses that don't.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.unit.check.builders import IMAGE_MODEL, TEXT_MODEL, scanned
from tunedrop_check.formats import graders, recognition
from tunedrop_check.models.base_models import KnownModel
from tunedrop_check.rules import content_rules
from tunedrop_check.rules.findings import Finding
from tunedrop_check.rules.format_rules import Rule
from tunedrop_check.scan.scanning import ScanOptions

# Codes without their prefix, and where each was found.
Places = set[tuple[str, str]]


class Case(Protocol):
    """An input that can be checked."""

    def findings(self) -> list[Finding]:
        """What is found in it."""
        ...


@dataclass(frozen=True)
class Example:
    """One example, checked by the rules of its format."""

    value: dict[str, Any]
    model: KnownModel = TEXT_MODEL

    def findings(self) -> list[Finding]:
        """What its format's check says."""
        return list(
            recognition.FORMATS[recognition.recognise(self.value, self.model)].check(
                self.value, self.model
            )
        )


@dataclass(frozen=True)
class File:
    """A file, scanned as a validation file for a text model unless said otherwise, and judged by
    the rules on form.
    """

    content: bytes
    options: ScanOptions | None = None

    def findings(self) -> list[Finding]:
        """What the scan says, but for the findings on what the texts hold."""
        return [
            found
            for found in scanned(self.content, chosen=self.options).findings
            if found.code not in content_rules.RULES
        ]


@dataclass(frozen=True)
class Grader:
    """A grader as it stands in the settings of a run."""

    value: Any

    def findings(self) -> list[Finding]:
        """What its check says."""
        return list(graders.check(self.value))


@dataclass(frozen=True)
class Graded:
    """A line, and the grader that will read it."""

    line: dict[str, Any]
    grader: Any

    def findings(self) -> list[Finding]:
        """Which of the grader's fields it lacks."""
        return list(graders.check_fields(self.line, graders.grader_fields(self.grader)))


@dataclass(frozen=True)
class Bad:
    """A case that breaks the rule at this place; `also` are the places of what else is found."""

    case: Case
    place: str = ""
    also: Places = field(default_factory=Places)


@dataclass(frozen=True)
class Proof:
    """A rule with inputs that break it and near misses that don't, each under a name that says what
    it is.
    """

    rule: Rule
    bad: Mapping[str, Bad]
    good: Mapping[str, Case]


def bad(
    value: dict[str, Any],
    place: str = "",
    also: Places | None = None,
    model: KnownModel = TEXT_MODEL,
) -> Bad:
    """An example that breaks the rule at this place."""
    return Bad(Example(value, model), place, also or set())


def bad_image(value: dict[str, Any], place: str, also: Places | None = None) -> Bad:
    """An example for a model with images that breaks the rule at this place."""
    return bad(value, place, also, IMAGE_MODEL)


def good_image(value: dict[str, Any]) -> Example:
    """An example for a model with images."""
    return Example(value, IMAGE_MODEL)


def places(case: Case) -> Places:
    """Where each finding of a case stands: its line, if any, and its field."""
    return {
        (found.code.removeprefix("TD-DATA-"), f"{found.line or ''}{found.field}")
        for found in case.findings()
    }
