"""What `tunedrop drop` puts where, settled before anything is sent: the run's name, the blobs'
names, their order.
"""

import glob
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunedrop_check import CannotCheck
from tunedrop_check.reading.drop_names import JOB_FILE, TRAINING_SET, VALIDATION_SET, Role

if TYPE_CHECKING:
    from tunedrop_check.command.inputs import Input

STANDARD_INPUT = "-"
PACKED = ".gz"
PLACES: dict[Role, str] = {"training": TRAINING_SET, "validation": VALIDATION_SET}


class NotADrop(Exception):
    """What was given can't be dropped; the message says why and what to give instead."""


@dataclass(frozen=True)
class Upload:
    """One file and the name of its blob. `data` are its examples, unpacked and joined; None for
    job.json. With `as_it_is` the file itself is sent, packed or not.
    """

    path: Path
    blob: str
    data: "Input | None" = None
    as_it_is: bool = True


# The starting blob goes last: the run begins with it, and reads the others.
@dataclass(frozen=True)
class Layout:
    """A drop: the run's name and its files in the order in which they must be sent."""

    run: str
    uploads: tuple[Upload, ...]
    absent: tuple[str, ...] = ()
    """Blobs that would join the drop though they don't belong to it: an earlier one may have left
    them.
    """


def layout_of(paths: Sequence[Path], run: str | None = None, job: Path | None = None) -> Layout:
    """The drop that these files make: `<run>.jsonl` for a training file alone, else a folder.

    A path is what `tunedrop check` takes: a file, packed or not, a folder of a drop or of part
    files, a pattern, `-`.

    Raises:
        NotADrop: a file is missing, there are two for one place, or the name can't be a run's.
    """
    data, job_file = _found(paths, job)
    if "training" not in data:
        raise NotADrop(
            "There is no training file. Give a .jsonl file, or a folder that contains "
            f"{TRAINING_SET}."
        )
    name = _checked(run if run is not None else slug(_stem(paths[0])))
    if job_file is None and set(data) == {"training"} and len(data["training"].parts) <= 1:
        return Layout(name, (_upload(name, data["training"], alone=True),))
    uploads = [_upload(name, data["validation"])] if "validation" in data else []
    uploads += [Upload(job_file, f"{name}/{JOB_FILE}")] if job_file else []
    uploads.append(_upload(name, data["training"]))
    sent = {upload.blob for upload in uploads}
    others = (f"{name}/{part}" for part in (VALIDATION_SET, JOB_FILE))
    return Layout(name, tuple(uploads), tuple(blob for blob in others if blob not in sent))


def slug(text: str) -> str:
    """The run name nearest to a file's name; empty where none of its characters fits."""
    # pydantic, 0.07 s: only where something is dropped
    from shared.models.drop import RUN_NAME_MAX_CHARS

    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:RUN_NAME_MAX_CHARS].strip("-")


def _found(paths: Sequence[Path], job: Path | None) -> tuple[dict[Role, "Input"], Path | None]:
    """The data for each role, and the job.json."""
    data: dict[Role, Input] = {}
    named: Path | None = None
    for path in paths:
        if path.name == JOB_FILE and not path.is_dir():
            named = _readable(path)
            continue
        with_job = path.is_dir() and (path / JOB_FILE).is_file()
        named = path / JOB_FILE if with_job else named
        for found in _inputs(path, may_be_none=with_job):
            if other := data.get(found.role):
                raise NotADrop(_two(other, found))
            data[found.role] = found
    # That of the option, else one that is named or lies in a folder that is.
    return data, _readable(job) if job else named


def _inputs(path: Path, *, may_be_none: bool) -> list["Input"]:
    """The datasets at this path, one for each role."""
    from tunedrop_check.command import inputs  # msgspec: only where something is dropped

    try:
        found = inputs.find([str(path)])
    except CannotCheck as why:
        if may_be_none:
            return []
        raise NotADrop(str(why)) from None
    if not glob.has_magic(str(path)) or path.exists():
        return found
    # What a pattern matches is joined.
    roles = dict.fromkeys(one.role for one in found)
    return [_joined(str(path), [one for one in found if one.role == role]) for role in roles]


def _joined(pattern: str, found: list["Input"]) -> "Input":
    """Several files as one dataset, in the order of their names."""
    from tunedrop_check.command.inputs import Input  # as above

    if len(found) == 1:
        return found[0]
    return Input(
        path=pattern,
        parts=tuple(part for one in found for part in one.parts),
        role=found[0].role,
        home=None,
        notes=tuple(note for one in found for note in one.notes),
        findings=tuple(wrong for one in found for wrong in one.findings),
    )


def _two(one: "Input", other: "Input") -> str:
    hint = " To join files, give a pattern in quotes: 'folder/*.jsonl'."
    if one.role == "training":
        hint = f" The name of a validation file has `validation` in it.{hint}"
    return f"Both {one.path} and {other.path} would be {PLACES[one.role]}. Give one.{hint}"


def _upload(run: str, data: "Input", *, alone: bool = False) -> Upload:
    """Where this data goes."""
    blob = f"{run}.jsonl" if alone else f"{run}/{PLACES[data.role]}"
    from shared.models.drop import drop_of  # as above

    if len(data.parts) != 1:
        return Upload(Path(data.path), blob, data, as_it_is=False)
    if data.parts[0].suffix.lower() != PACKED:
        return Upload(data.parts[0], blob, data, as_it_is=data.parts[0].is_file())
    # A packed training file goes as it is where the app takes it, else unpacked and joined.
    packed = data.role == "training" and drop_of("", "", blob + PACKED, "") is not None
    return Upload(data.parts[0], blob + PACKED if packed else blob, data, as_it_is=packed)


def _readable(path: Path) -> Path:
    if not path.is_file():
        raise NotADrop(f"There is no file {path}.")
    return path


def _stem(path: Path) -> str:
    """The folder's name for a folder and for a file whose name every drop has, else the
    file's own.
    """
    if str(path) == STANDARD_INPUT:
        return ""
    known = {
        TRAINING_SET,
        VALIDATION_SET,
        JOB_FILE,
        *(f"{name}{PACKED}" for name in PLACES.values()),
        *PLACES,
    }
    plain = list(_plain(path)) if not path.exists() else list(path.resolve().parts)
    while len(plain) > 1 and plain[-1] in known:
        plain.pop()
    last = plain[-1] if plain else ""
    return (
        last
        if path.is_dir()
        else re.sub(r"(\.jsonl?|\.ndjson)?(\.gz)?$", "", last, flags=re.IGNORECASE)
    )


def _plain(pattern: Path) -> Iterator[str]:
    """The parts of a pattern before its first wildcard."""
    for part in pattern.parts:
        if glob.has_magic(part):
            return
        yield part


def _checked(name: str) -> str:
    from shared.models.drop import RUN_NAME_MAX_CHARS, drop_of  # as above

    if not name:
        raise NotADrop("The file's name can't become the run's name. Give a name with --run.")
    drop = drop_of("", "", f"{name}.jsonl", "")
    if drop is None or not drop.named:
        rule = (
            "lower-case letters, digits and single hyphens between them, at most "
            f"{RUN_NAME_MAX_CHARS} characters"
        )
        raise NotADrop(f"`{name}` can't be a run's name: {rule}. Give another name with --run.")
    return name
