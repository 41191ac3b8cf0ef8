"""Proofs of the rules of whole files, 0xx."""

import gzip
import io
import json
import zipfile
from typing import Any

import msgspec

from tests.unit.check.builders import (
    IMAGE_MODEL,
    TEXT_MODEL,
    a_conversation,
    a_file,
    a_message,
    a_span,
    an_example,
    options,
)
from tests.unit.check.proofs.cases import Bad, File, Proof
from tunedrop_check.models import base_models
from tunedrop_check.rules import format_rules
from tunedrop_check.rules.findings import Finding
from tunedrop_check.scan import scanning

IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
TEXT = {"type": "text", "text": "Be brief."}
PARTS = {("402", "1/messages/0/content/0"), ("403", "1/messages/0/content/0")}
BOM = b"\xef\xbb\xbf"
IMAGE_EXAMPLES = 50_000
USER = a_message("user")
COMPLETION = {"prompt": "a", "completion": "b"}
PREFERENCE: dict[str, Any] = {
    "input": {"messages": [a_message("system", "Be brief."), USER]},
    "preferred_output": [a_message("assistant", "Four.")],
    "non_preferred_output": [a_message("assistant", "Five or so.")],
}
GRADED = {"messages": [a_message("system", "Be brief."), USER], "answer": "4"}
REASONING_MODEL = base_models.base_model("o4-mini")
DOUBLE_MODEL = msgspec.structs.replace(
    TEXT_MODEL, methods=frozenset({"supervised", "dpo", "reinforcement"})
)


class Sized:
    """A file of this size, of which only the size is looked at."""

    def __init__(self, size: int) -> None:
        self._size = size

    def findings(self) -> list[Finding]:
        """What the merge says of it."""
        return scanning.merge([a_span(0, self._size, lines=1)], options(role="validation")).findings


class NoObject:
    """A file some of whose lines are no objects, without that finding."""

    def __init__(self, content: bytes) -> None:
        self._file = File(content)

    def findings(self) -> list[Finding]:
        """What else the scan says."""
        return [
            found for found in self._file.findings() if found.code != format_rules.NOT_OBJECT.code
        ]


class Unsaid:
    """A training file, without what else is found in it."""

    def __init__(self, content: bytes, *also: str) -> None:
        self._file = File(content, options())
        self._also = {f"TD-DATA-{code}" for code in also}

    def findings(self) -> list[Finding]:
        """What the scan says beside that."""
        return [found for found in self._file.findings() if found.code not in self._also]


class WithImages:
    """A file with so many examples with images, of which only their number is looked at."""

    def __init__(self, number: int) -> None:
        self._number = number

    def findings(self) -> list[Finding]:
        """What the merge says of it."""
        return scanning.merge(
            [a_span(0, 9, lines=1, image_examples=self._number)], options(IMAGE_MODEL, "validation")
        ).findings


def for_method(method: str, *examples: Any, model: base_models.KnownModel = TEXT_MODEL) -> File:
    """A validation file of a run with this method."""
    return File(
        a_file(*examples), msgspec.structs.replace(options(model, "validation"), method=method)
    )


def for_model(model: base_models.KnownModel, *examples: Any) -> File:
    """A validation file for this model."""
    return File(a_file(*examples), options(model, "validation"))


def with_system(*texts: Any) -> File:
    """A file whose examples begin with these system messages."""
    return File(
        a_file(
            *(an_example(a_message("system", text), USER, a_message("assistant")) for text in texts)
        )
    )


def a_zip() -> bytes:
    """A zip archive with one file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("training_set.jsonl", a_file(an_example(), times=20))
    return content.getvalue()


PROOFS = [
    Proof(
        format_rules.FILE_EMPTY,
        bad={
            "no bytes": Bad(File(b"")),
            "a byte-order mark only": Bad(File(BOM)),
            "a line feed only": Bad(File(b"\n")),
            "blank lines only": Bad(File(b"\n \r\n\t\n\r\n")),
        },
        good={
            "one example": File(a_file(an_example())),
            "one example without an end": File(a_file(an_example()).rstrip()),
        },
    ),
    Proof(
        format_rules.TOO_FEW_EXAMPLES,
        bad={
            "nine": Bad(File(a_file(an_example(), times=9), options())),
            "nine and a blank line": Bad(File(a_file(an_example(), times=9) + b"\n\n", options())),
        },
        good={
            "ten": File(a_file(an_example(), times=10), options()),
            "one that can't be read, and nine": Unsaid(a_file(*[an_example()] * 9, "{"), "103"),
            "none that can be read": Unsaid(b"{\n", "103"),
            "one, for validation": File(a_file(an_example()), options(role="validation")),
        },
    ),
    Proof(
        format_rules.FILE_TOO_LARGE,
        bad={"at the limit": Bad(Sized(512 * 2**20)), "far over": Bad(Sized(2**30))},
        good={"one byte under": Sized(512 * 2**20 - 1), "small": Sized(1)},
    ),
    Proof(
        format_rules.NOT_TEXT,
        bad={
            "gzip": Bad(File(gzip.compress(a_file(an_example(), times=20), mtime=0))),
            "zip": Bad(File(a_zip())),
            "parquet": Bad(File(b"PAR1" + bytes(range(256)))),
            "PDF": Bad(File(b"%PDF-1.7\n1 0 obj\n<<>>\n" * 20)),
            "UTF-16": Bad(File(a_file(an_example(), times=20).decode().encode("utf-16"))),
            "UTF-32": Bad(File(a_file(an_example(), times=20).decode().encode("utf-32"))),
        },
        good={
            "a byte-order mark": File(BOM + a_file(an_example())),
            "the word in a text": File(
                a_file(
                    an_example(a_message("system", "%PDF-1.7 PAR1"), USER, a_message("assistant"))
                )
            ),
        },
    ),
    Proof(
        format_rules.FORMAT_UNSUPPORTED,
        bad={
            "completions": Bad(File(a_file(COMPLETION, times=3)), "1"),
            "completions for a run": Bad(for_method("supervised", COMPLETION), "1"),
        },
        good={
            "chat": File(a_file(an_example())),
            "preferences": File(a_file(PREFERENCE)),
            "graded": for_model(REASONING_MODEL, GRADED),
        },
    ),
    Proof(
        format_rules.FORMATS_MIXED,
        bad={
            "chat and preference": Bad(File(a_file(an_example(), PREFERENCE)), "2"),
            "chat and completion": Bad(File(a_file(an_example(), an_example(), COMPLETION)), "3"),
            "preference and graded": Bad(File(a_file(PREFERENCE, GRADED)), "2"),
        },
        good={
            "plain and with tools": File(a_file(an_example(), an_example(tools=[]))),
            "graded with different fields": for_model(
                REASONING_MODEL, GRADED, GRADED | {"level": 1}
            ),
        },
    ),
    Proof(
        format_rules.TOO_MANY_IMAGE_EXAMPLES,
        bad={"one over": Bad(WithImages(IMAGE_EXAMPLES + 1)), "far over": Bad(WithImages(10**6))},
        good={
            "at the limit": WithImages(IMAGE_EXAMPLES),
            "one under": WithImages(IMAGE_EXAMPLES - 1),
        },
    ),
    Proof(
        format_rules.METHOD_NOT_OFFERED,
        bad={
            "chat for a reasoning model": Bad(for_model(REASONING_MODEL, an_example())),
            "preferences for gpt-4o-mini": Bad(
                for_model(base_models.base_model("gpt-4o-mini"), PREFERENCE)
            ),
            "graded for gpt-4.1-mini": Bad(for_model(TEXT_MODEL, GRADED)),
        },
        good={
            "chat for gpt-4o-mini": for_model(base_models.base_model("gpt-4o-mini"), an_example()),
            "preferences for gpt-4.1-mini": for_model(TEXT_MODEL, PREFERENCE),
            "graded for a reasoning model": for_model(REASONING_MODEL, GRADED),
        },
    ),
    Proof(
        format_rules.SYSTEM_MISSING,
        bad={
            "everywhere": Bad(File(a_file(a_conversation(), times=2)), "1"),
            "in one of three": Bad(File(a_file(an_example(), a_conversation(), an_example())), "2"),
            "a message of no text": Bad(
                File(
                    a_file(an_example(a_message("system", [IMAGE]), *an_example()["messages"][1:]))
                ),
                "1",
                PARTS,
            ),
        },
        good={
            "nowhere": File(a_file(an_example())),
            "as a part": File(
                a_file(an_example(a_message("system", [TEXT]), *an_example()["messages"][1:]))
            ),
            "developer instead": File(
                a_file(an_example(a_message("developer"), USER, a_message("assistant")))
            ),
        },
    ),
    Proof(
        format_rules.SYSTEM_VARIES,
        bad={
            "two wordings": Bad(with_system("a", "b"), "2"),
            "a blank more": Bad(with_system("a", "a", "a "), "3"),
        },
        good={
            "one wording": with_system("a", "a"),
            "one wording, once as a part": with_system("a", [{"type": "text", "text": "a"}]),
            "a later system message differs": File(
                a_file(
                    an_example(),
                    an_example(
                        *an_example()["messages"][:2],
                        a_message("system", "b"),
                        a_message("assistant"),
                    ),
                )
            ),
        },
    ),
    Proof(
        format_rules.JSON_ARRAY,
        bad={
            "on one line": Bad(File(json.dumps([an_example()] * 10).encode())),
            "on one line, after a mark and blank lines": Bad(
                File(b"\xef\xbb\xbf\n \n" + json.dumps([an_example()]).encode() + b"\n\n")
            ),
            "an example on each line": Bad(
                File(b"[\n" + b",\n".join([json.dumps(an_example()).encode()] * 10) + b"\n]\n")
            ),
            "indented": Bad(File(json.dumps([an_example()] * 2, indent=2).encode())),
            "too long to be read": Bad(
                File(b"[" + b"{}," * 2**20 + b"{}]", options(role="validation"))
            ),
            "cut": Bad(File(b'[{"messages": [')),
        },
        good={
            "lines": File(a_file(an_example(), times=10)),
            "one array among lines": NoObject(a_file(an_example(), [an_example()], an_example())),
            "arrays of no objects": Unsaid(b"[1,\n[[\n", "103"),
            "an array on each line": NoObject(a_file([an_example()], [an_example()])),
        },
    ),
    Proof(
        format_rules.METHOD_MISMATCH,
        bad={
            "preferences for supervised": Bad(for_method("supervised", PREFERENCE), "1"),
            "chat for dpo": Bad(for_method("dpo", an_example(), an_example()), "1"),
            "graded for supervised": Bad(for_method("supervised", GRADED, model=DOUBLE_MODEL), "1"),
            "chat for reinforcement": Bad(
                for_method("reinforcement", an_example(), model=REASONING_MODEL), "1"
            ),
        },
        good={
            "chat for supervised": for_method("supervised", an_example()),
            "preferences for dpo": for_method("dpo", PREFERENCE),
            "graded for reinforcement": for_method("reinforcement", GRADED, model=REASONING_MODEL),
        },
    ),
]
