"""Proofs of the rules of what a dataset is read from, 05x: archives and folders of part files."""

import gzip
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.unit.check.builders import a_file, an_example
from tests.unit.check.command.builders import a_commit
from tests.unit.check.proofs.cases import Bad, Proof
from tunedrop_check.command import inputs, sources
from tunedrop_check.rules import format_rules
from tunedrop_check.rules.findings import Finding

LINES = a_file(an_example(), times=12)
PACKED = gzip.compress(LINES, mtime=0)
ONE, TWO = "part-0-tid-11-a.json", "part-1-tid-11-a.json"


@dataclass(frozen=True)
class Folder:
    """A folder with these files, as the command finds and opens it."""

    files: Mapping[str, bytes]

    def findings(self) -> list[Finding]:
        """What is wrong with the folder, or what its files can't be read for."""
        with tempfile.TemporaryDirectory() as place:
            for name, content in self.files.items():
                (Path(place) / name).write_bytes(content)
            return [
                found
                for given in inputs.find([place])
                for found in (*given.findings, *self._opened(given))
            ]

    def _opened(self, given: inputs.Input) -> list[Finding]:
        try:
            with sources.opened(given):
                return []
        except sources.Refused as refused:
            return [refused.finding]


def packed(content: bytes) -> Folder:
    """A folder with one archive."""
    return Folder({"training_set.jsonl.gz": content})


def written(**marks: bytes) -> Folder:
    """A folder with two parts, and these files beside them."""
    return Folder({ONE: LINES, TWO: LINES, **marks})


PROOFS = [
    Proof(
        format_rules.ARCHIVE_DAMAGED,
        bad={
            "cut off": Bad(packed(PACKED[:-20])),
            "no archive": Bad(packed(LINES)),
            "a wrong checksum": Bad(packed(PACKED[:-8] + bytes(8))),
            "a damaged middle": Bad(packed(PACKED[:40] + b"\xff" * 20 + PACKED[60:])),
        },
        good={
            "whole": packed(PACKED),
            "two archives joined": packed(PACKED + PACKED),
            "zeros after its end": packed(PACKED + bytes(512)),
        },
    ),
    Proof(
        format_rules.FOLDER_INCOMPLETE,
        bad={
            "a part less": Bad(Folder({ONE: LINES, "_committed_11": a_commit([ONE, TWO])})),
            "no JSON": Bad(written(_committed_11=b"{")),
            "names that are numbers": Bad(written(_committed_11=b'{"added": [1]}')),
        },
        good={
            "all there": written(_committed_11=a_commit([ONE, TWO])),
            "a removed part less": Folder(
                {
                    TWO: LINES,
                    "_committed_11": a_commit([ONE, TWO]),
                    "_committed_12": a_commit([], [ONE]),
                }
            ),
            "a leftover more": written(_committed_11=a_commit([ONE])),
        },
    ),
    Proof(
        format_rules.FOLDER_UNFINISHED,
        bad={"no mark": Bad(written()), "begun alone": Bad(written(_started_22=b""))},
        good={
            "_SUCCESS": written(_SUCCESS=b""),
            "a commit": written(_committed_11=a_commit([ONE, TWO])),
        },
    ),
]
