"""What there is to check: files, patterns, folders of a drop, folders that Spark wrote, and
standard input.
"""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from .. import CannotCheck
from ..reading import spark
from ..reading.drop_names import TRAINING_SET, VALIDATION_SET, Role, role_of
from ..rules import format_rules
from ..rules.findings import Finding, finding

STANDARD_INPUT = "-"
_MAX_COMMIT_BYTES = 16 * 2**20
_ENDINGS = (".jsonl", ".jsonl.gz")
_ROLES: tuple[Role, Role] = ("training", "validation")


class Input(msgspec.Struct, frozen=True):
    """One dataset to check.

    `path` is how it is named in the output; `parts` are its files in order, more than one only
    where Spark wrote them, and none where it is standard input. `home` is the folder in which its
    job.json would lie. `notes` say what was left out, `findings` what is wrong with the folder
    itself.
    """

    path: str
    parts: tuple[Path, ...]
    role: Role
    home: Path | None
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of part files, so that a finding must name its part."""
        return self.path != STANDARD_INPUT and self.parts != (Path(self.path),)


def find(paths: Iterable[str], role: Role | None = None) -> list[Input]:
    """What these arguments stand for, each dataset once, in their order; `role` replaces what the
    names say.

    Raises:
        CannotCheck: There is nothing at one of them.
    """
    inputs = {_identity(found): found for path in paths for found in _at(path)}
    return [
        msgspec.structs.replace(found, role=role) if role else found for found in inputs.values()
    ]


def _identity(found: Input) -> str:
    return found.path if found.path == STANDARD_INPUT else os.path.realpath(found.path)


def _at(path: str) -> Iterator[Input]:
    if path == STANDARD_INPUT:
        yield Input(path, (), "training", None)
    elif os.path.isdir(path):
        yield from _folder(Path(path))
    elif os.path.exists(path):
        yield _file(Path(path), path)
    elif glob.has_magic(path):
        yield from _matching(path)
    else:
        raise CannotCheck(f"There is no file {path}.")


def _matching(pattern: str) -> Iterator[Input]:
    """The inputs that a pattern matches; `**` goes through folders."""
    # For shells that leave patterns as they are, and for notebooks.
    matches = sorted(glob.glob(pattern, recursive=True))
    if not matches:
        raise CannotCheck(f"No file matches {pattern}.")
    for match in matches:
        yield from _at(match)


def _file(file: Path, path: str | None = None) -> Input:
    return Input(path or str(file), (file,), role_of(file.name), file.parent)


def _folder(path: Path) -> Iterator[Input]:
    """The datasets of a folder."""
    # A folder that Spark wrote is one dataset; else its training and validation data, as a drop has
    # them; else every .jsonl file.
    names = _names(path)
    if spark.is_folder(names):
        yield _written_by_spark(
            path, names, role_of(path.name), path.parent if path.name in _ROLES else path
        )
        return
    drop = [found for role in _ROLES if (found := _of_drop(path, names, role))]
    found = drop or [_file(path / name) for name in names if name.lower().endswith(_ENDINGS)]
    if not found:
        raise CannotCheck(f"There is no .jsonl file in {path}.")
    yield from found


def _of_drop(path: Path, names: list[str], role: Role) -> Input | None:
    name = TRAINING_SET if role == "training" else VALIDATION_SET
    if name in names:
        return _file(path / name)
    inner = path / role
    if role in names and inner.is_dir() and spark.is_folder(written := _names(inner)):
        return _written_by_spark(inner, written, role, path)
    return None


def _names(path: Path) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except OSError as error:
        raise CannotCheck(
            f"The folder {path} can't be read: {error.strerror or type(error).__name__}."
        ) from None


def _written_by_spark(path: Path, names: list[str], role: Role, home: Path) -> Input:
    try:
        data = spark.folder(names, lambda name: _start_of(path / name))
    except OSError as error:
        raise CannotCheck(
            f"The folder {path} can't be read: {error.strerror or type(error).__name__}."
        ) from None
    notes = (
        (f"Part files that are not read, because no commit names them: {data.uncommitted:,}.",)
        if data.uncommitted
        else ()
    )
    return Input(
        str(path),
        tuple(path / part for part in data.parts),
        role,
        home,
        notes,
        tuple(_wrong_with(data)),
    )


def _start_of(file: Path) -> bytes:
    """The beginning of a commit file."""
    with file.open("rb") as opened:
        # A longer file is cut, so that it is no JSON any more and counts as unreadable.
        return opened.read(_MAX_COMMIT_BYTES)


def _wrong_with(data: spark.Folder) -> Iterator[Finding]:
    if data.missing:
        yield finding(
            format_rules.FOLDER_INCOMPLETE,
            message=f"Part files that a commit names, but that are missing: {data.missing:,}.",
        )
    if data.unreadable:
        yield finding(
            format_rules.FOLDER_INCOMPLETE,
            message=f"Commit files of the folder that can't be read: {data.unreadable:,}.",
        )
    if not data.finished:
        yield finding(format_rules.FOLDER_UNFINISHED)
