"""The world of the dataset tests: examples, files in memory, options."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, settings

from tunedrop_check.counting import tokens
from tunedrop_check.models import base_models
from tunedrop_check.reading.drop_names import Role
from tunedrop_check.scan import scanning

TEXT_MODEL = base_models.base_model("gpt-4.1-mini")
# For property tests on a machine that others use at the same time.
LOADED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
IMAGE_MODEL = base_models.base_model("gpt-4.1")


class MemorySource:
    """A file in memory, read in pieces of a chosen size."""

    def __init__(self, content: bytes, piece: int = 2**16) -> None:
        self.size = len(content)
        self._content = content
        self._piece = piece

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes [start, stop)."""
        for begin in range(start, stop, self._piece):
            yield self._content[begin : min(begin + self._piece, stop)]


def a_message(role: str, content: Any = "Hello.", **more: Any) -> dict[str, Any]:
    """A message."""
    return {"role": role, "content": content, **more}


def an_example(*messages: Any, **more: Any) -> dict[str, Any]:
    """An example of these messages; without any, one that nothing is wrong with."""
    usual = [
        a_message("system", "Be brief."),
        a_message("user", "What is the biggest ocean?"),
        a_message("assistant", "The Pacific."),
    ]
    return {"messages": list(messages) or usual, **more}


def a_conversation(*between: Any, **more: Any) -> dict[str, Any]:
    """An example with these messages between the question and the answer."""
    return an_example(a_message("user"), *between, a_message("assistant"), **more)


def a_file(*examples: Any, times: int = 1, end: str = "\n") -> bytes:
    """The bytes of a file with these examples; a str is taken as a line as it is."""
    lines = [
        example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
        for example in examples
    ] * times
    return "".join(line + end for line in lines).encode()


def options(
    model: base_models.KnownModel = TEXT_MODEL,
    role: Role = "training",
    block_bytes: int = 64,
    max_line_bytes: int = 2**20,
    watched: bool = False,
) -> scanning.ScanOptions:
    """Scan options with small pieces, for the rules on form alone."""
    return scanning.ScanOptions(model, role, block_bytes, max_line_bytes, watched=watched)


def scanned(
    content: bytes, cuts: list[int] | None = None, chosen: scanning.ScanOptions | None = None
) -> scanning.FileScan:
    """The scan of a file that is cut at these places."""
    chosen = chosen or options(role="validation", block_bytes=max(len(content), 1))
    edges = [0, *(cuts or []), len(content)]
    spans = [scanning.Span(start, stop) for start, stop in itertools.pairwise(edges)]
    return scanning.merge(
        [scanning.scan_span(MemorySource(content), span, chosen) for span in spans], chosen
    )


def a_span(start: int, stop: int, **facts: Any) -> scanning.SpanScan:
    """The scan of a span, of which only these facts matter."""
    return scanning.SpanScan(start, stop, counting_version=scanning.COUNTING_VERSION, **facts)


def codes_of(content: bytes) -> set[str]:
    """The codes that a file's scan has found."""
    return set(scanned(content).counts)


def of_tokens(total: int) -> dict[str, Any]:
    """An example of exactly so many tokens."""
    messages = [a_message("system", "Be brief."), a_message("user", ""), a_message("assistant", "")]
    words = total - tokens.count(an_example(*messages), TEXT_MODEL.encoding).total - 1
    return an_example(messages[0], a_message("user", "?"), a_message("assistant", " a" * words))
