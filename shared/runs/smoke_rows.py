"""What a smoke test asks where job.json says nothing: a row of the drop's own data, whose answer is
known.
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from pydantic import TypeAdapter, ValidationError

from shared import json_input
from shared.json_input import NotJson
from shared.models.job_file import Message
from shared.models.plan import Pin, Plan, SmokeTestPlan
from shared.runs import scans

if TYPE_CHECKING:
    from tunedrop_check.reading.file_spans import Source
    from tunedrop_check.scan.scanning import ScanOptions

# So much of a file is read, from its beginning.
HEAD_BYTES = 2**20
# Longer rows are passed over: the ledger's record holds the one that is asked, and is read at each
# step.
ROW_BYTES = 64 * 1024
# So many lines are decoded, and so many rows checked, at most: where each is unusable, none further
# on is looked for.
LINES_READ, ROWS_CHECKED = 1_000, 100
MESSAGES_MAX = 50
# A word; where a script writes none apart (kana, Chinese characters), a character.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
_MESSAGES = TypeAdapter(list[Message])


# The first clean row near the beginning of the validation file, else of the training file: without
# a finding, so also without a probable secret or personal data, because it stands in the ledger and
# in the report.
def proof(plan: Plan, source_of: Callable[[Pin], "Source"] = scans.PinnedSource) -> SmokeTestPlan:
    """The smoke test of a plan whose job.json names no messages; as it is if no row can be asked.

    Raises:
        Changed: a file isn't the pinned one any more.
        ServiceUnavailable: the storage can't answer now.
    """
    for role in reversed(plan.roles):
        pin = plan.file(role)
        found = _row(source_of(pin), scans.options(plan, role)) if pin else None
        if found:
            line, messages = found
            asked = {
                "messages": tuple(messages[:-1]),
                "expected": messages[-1].content,
                "row_of": role,
                "row_line": line,
            }
            return plan.smoke_test.model_copy(update=asked)
    return plan.smoke_test


def words_in_common(answer: str, expected: str) -> float | None:
    """The share of the different words of `expected` that `answer` holds, 0 to 1; or None."""
    wanted = {word.casefold() for word in WORD.findall(expected)}
    # None where `expected` has no word.
    return (
        len(wanted & {word.casefold() for word in WORD.findall(answer)}) / len(wanted)
        if wanted
        else None
    )


def _row(source: "Source", options: "ScanOptions") -> tuple[int, list[Message]] | None:
    """Number and messages of the first row that can be asked."""
    checked = 0
    for line, row in _rows(source):
        messages = _conversation(row)
        if messages is None:
            continue
        if _clean(row, options):
            return line, messages
        checked += 1
        if checked == ROWS_CHECKED:
            break
    return None


def _rows(source: "Source") -> Iterator[tuple[int, bytes]]:
    """The whole lines at the beginning of a file, by number, but for the very long ones."""
    head = b"".join(source.read(0, min(source.size, HEAD_BYTES)))
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    whole = lines if source.size <= HEAD_BYTES else lines[:-1]
    return (
        (number, line)
        for number, line in enumerate(whole[:LINES_READ], 1)
        if line.strip() and len(line) <= ROW_BYTES
    )


def _conversation(row: bytes) -> list[Message] | None:
    """The messages of a chat example that is asked up to its last answer, if it can be."""
    try:
        messages = _MESSAGES.validate_python(_plain(json_input.decoded(row)))
    except (NotJson, ValidationError):
        # Tools, images, or an answer that is not to be learnt.
        return None
    asked, answer = messages[:-1], messages[-1:]
    told = bool(answer) and answer[0].role == "assistant" and bool(answer[0].content.strip())
    return (
        messages
        if told and len(asked) <= MESSAGES_MAX and any(m.role == "user" for m in asked)
        else None
    )


def _plain(row: Any) -> list[dict[str, Any]] | None:
    """The messages of a row that holds nothing else, without names and weights, unchecked."""
    whole = cast("dict[str, Any]", row) if isinstance(row, dict) else {}
    messages = (
        cast("list[Any]", whole["messages"])
        if set(whole) == {"messages"} and isinstance(whole["messages"], list)
        else None
    )
    if messages is None or not all(isinstance(one, dict) for one in messages):
        return None
    given = cast("list[dict[str, Any]]", messages)
    if given and given[-1].get("weight", 1) == 0:
        return None
    return [
        {name: value for name, value in one.items() if name not in {"name", "weight"}}
        for one in given
    ]


def _clean(row: bytes, options: "ScanOptions") -> bool:
    """Whether the checker has nothing against this row."""
    from tunedrop_check.rules import format_rules
    from tunedrop_check.scan import scanning  # numpy and tiktoken: not at import

    findings = scanning.scan_source(_Bytes(row), options, options.block_bytes).findings
    # That it alone makes no file is no matter of the row.
    return all(
        found.line is None or found.code == format_rules.SYSTEM_MISSING.code for found in findings
    )


class _Bytes:
    """Bytes as a source of the check engine."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop)."""
        yield self._content[start:stop]
