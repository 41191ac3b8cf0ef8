"""The grader of a reinforcement run, as `--grader` names it: a JSON file, what is wrong with it,
and the fields of a line that it reads.
"""

import os

import msgspec

from .. import CannotCheck
from ..formats import graders
from ..reading import lines
from ..rules import format_rules
from ..rules.findings import Finding

# A limit of ours: a Python grader's source has at most a quarter of it.
MAX_BYTES = 2**20


class Grader(msgspec.Struct, frozen=True):
    """A grader that was read; the fields of findings are JSON pointers into it."""

    file: str
    fields: frozenset[str]
    findings: tuple[Finding, ...]


def read(file: "str | os.PathLike[str]") -> Grader:
    """The grader of a file.

    Raises:
        CannotCheck: The file can't be read, or isn't one JSON object.
    """
    try:
        with open(file, "rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise CannotCheck(
            f"{file} can't be read: {error.strerror or type(error).__name__}."
        ) from None
    if len(content) > MAX_BYTES:
        raise CannotCheck(f"{file} has more than {MAX_BYTES:,} bytes; a grader must have fewer.")
    line = lines.decode(content.removeprefix(lines.BOM))
    if line.value is None or line.findings:
        raise CannotCheck(
            f"{file} contains no grader: {format_rules.RULES[line.findings[0].code].title}."
        )
    return Grader(
        os.fspath(file), graders.grader_fields(line.value), tuple(graders.check(line.value))
    )
