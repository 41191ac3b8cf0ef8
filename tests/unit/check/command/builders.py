"""The world of the checker's tests: files on disk, and the command's own answer."""

import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.data import a_training_set
from tunedrop_check.command import entry

BAD_ROLE = (
    b'{"messages": [{"role": "system", "content": "s"}, {"role": "king", "content": "u"}, {"role": '
    b'"assistant", "content": "a"}]}\n'
)
NO_SYSTEM = (
    b'{"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]}\n'
)


class Answer(NamedTuple):
    """What a call of the command has left."""

    code: int
    out: str
    err: str

    @property
    def files(self) -> list[dict[str, Any]]:
        """The files of the JSON document."""
        return json.loads(self.out)["files"]


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> Answer:
    """Call `tunedrop-check` with these arguments."""
    code = entry.main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return Answer(code, said.out, said.err)


def a_finding(**changed: Any) -> dict[str, Any]:
    """A finding as the document has it."""
    usual = {
        "file": "data/a.jsonl",
        "line": 7,
        "field": "/messages",
        "code": "TD-DATA-201",
        "severity": "error",
    }
    return {
        **usual,
        "message": "It is wrong.",
        "fix": "Fix it.",
        "times": 1,
        "lines": {},
        **changed,
    }


def a_file(path: Path, content: bytes | None = None) -> Path:
    """A file with this content, else with twelve good examples; packed where its name ends
    in .gz.
    """
    content = a_training_set(path.name) if content is None else content
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def a_spark_folder(
    path: Path, parts: dict[str, bytes], marks: dict[str, bytes] | None = None
) -> Path:
    """A folder of part files, with `_SUCCESS` unless other marks are given, and with what Spark
    leaves beside them.
    """
    for name, content in ({"_SUCCESS": b""} if marks is None else marks).items():
        path.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    for name, content in parts.items():
        a_file(path / name, content)
        (path / f".{name}.crc").write_bytes(b"crc")
    return path


def a_commit(added: list[str], removed: list[str] | None = None) -> bytes:
    """The content of a `_committed_<id>` file."""
    return json.dumps({"added": added, "removed": removed or []}).encode()
