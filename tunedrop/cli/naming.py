"""What `tunedrop drop` puts where, settled before anything is sent: the run's name, the blobs' names, their order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.dataset.names import role_of
from shared.models.drop import JOB_FILE, RUN_NAME_MAX_CHARS, TRAINING_SET, VALIDATION_SET, drop_of


class NotADrop(Exception):
    """What was given can't be dropped; the message says why and how to mend it."""


@dataclass(frozen=True)
class Upload:
    """One file and the name of its blob."""

    path: Path
    blob: str


@dataclass(frozen=True)
class Layout:
    """A drop: the run's name and its files in the order in which they must be sent, the starting blob last."""

    run: str
    uploads: tuple[Upload, ...]
    absent: tuple[str, ...] = ()
    """Blobs that would join the drop though they don't belong to it: an earlier one may have left them."""


def layout_of(paths: Sequence[Path], run: str | None = None, job: Path | None = None) -> Layout:
    """The drop that these files make: `<run>.jsonl` for a training file alone, else a folder.

    Raises:
        NotADrop: a file is missing, there are two for one place, or the name can't be a run's.
    """
    files = _files(paths)
    if job is not None:
        files[JOB_FILE] = _readable(job)
    if TRAINING_SET not in files:
        raise NotADrop(f"There is no training file. Give a .jsonl file, or a folder that holds {TRAINING_SET}.")
    name = _checked(run if run is not None else slug(_stem(paths[0])))
    if set(files) == {TRAINING_SET}:
        return Layout(name, (Upload(files[TRAINING_SET], f"{name}.jsonl"),))
    order = (VALIDATION_SET, JOB_FILE, TRAINING_SET)
    return Layout(
        name,
        tuple(Upload(files[part], f"{name}/{part}") for part in order if part in files),
        tuple(f"{name}/{part}" for part in order if part not in files),
    )


def slug(text: str) -> str:
    """The run name nearest to a file's name; empty where none of its characters fits."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:RUN_NAME_MAX_CHARS].strip("-")


def _files(paths: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        for part, file in _parts(path).items():
            if part in found:
                hint = " The name of a validation file has `validation` in it." if part == TRAINING_SET else ""
                raise NotADrop(f"Both {found[part]} and {file} would be {part}. Give one.{hint}")
            found[part] = file
    return found


def _parts(path: Path) -> dict[str, Path]:
    if path.is_dir():
        return {part: path / part for part in (TRAINING_SET, VALIDATION_SET, JOB_FILE) if (path / part).is_file()}
    if _readable(path).name == JOB_FILE:
        return {JOB_FILE: path}
    return {VALIDATION_SET if role_of(path.name) == "validation" else TRAINING_SET: path}


def _readable(path: Path) -> Path:
    if not path.is_file():
        raise NotADrop(f"There is no file {path}.")
    return path


def _stem(path: Path) -> str:
    """The folder's name for a folder and for a file whose name every drop has, else the file's own."""
    if path.is_dir() or path.name in {TRAINING_SET, VALIDATION_SET, JOB_FILE}:
        return (path if path.is_dir() else path.parent).resolve().name
    return path.stem


def _checked(name: str) -> str:
    if not name:
        raise NotADrop("No name for the run can be made of the file's name. Give one with --run.")
    drop = drop_of("", "", f"{name}.jsonl", "")
    if drop is None or not drop.named:
        rule = f"lower-case letters, digits and single hyphens between them, at most {RUN_NAME_MAX_CHARS} characters"
        raise NotADrop(f"`{name}` can't be a run's name: {rule}. Give another with --run.")
    return name
