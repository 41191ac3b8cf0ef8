"""Which files of a folder are its data, where Spark or Databricks wrote it. Pure: names and a way
to read a file in, names out.
"""

import re
from collections.abc import Callable, Iterable

import msgspec

from .drop_names import SUCCESS

_PART = "part-"
_COMMITTED = "_committed_"
_STARTED = "_started_"
_TASK_OF = re.compile(r"-tid-(\d+)-")


class Commit(msgspec.Struct, frozen=True):
    """What one `_committed_<id>` file says."""

    added: list[str] = msgspec.field(default_factory=list[str])
    removed: list[str] = msgspec.field(default_factory=list[str])


# Spark writes `part-*` files and, when all are there, `_SUCCESS`. Databricks' transactional commit
# writes straight into the folder: each job leaves `_started_<id>` when it begins and
# `_committed_<id>` when it ends, a JSON object that names the files it added and those it removed.
# Parts of failed or unfinished tasks stay beside them and are not data.
class Folder(msgspec.Struct, frozen=True):
    """The data of a folder: its parts in order.

    `uncommitted` parts lie there and are not data; `missing` ones are named by a commit and not
    there; `unreadable` counts commit files that can't be read as such; `finished` says whether the
    writer has marked its end.
    """

    parts: tuple[str, ...]
    uncommitted: int
    missing: int
    unreadable: int
    finished: bool


def is_folder(names: Iterable[str]) -> bool:
    """Whether a folder with files of these names is one that Spark wrote."""
    return any(name.startswith(_PART) or name == SUCCESS for name in names)


def folder(names: Iterable[str], read: Callable[[str], bytes]) -> Folder:
    """The data among the files of these names; `read` gives the content of one of them."""
    found = set(names)
    parts = {name for name in found if name.startswith(_PART)}
    commits = [_commit(read(name)) for name in sorted(found) if name.startswith(_COMMITTED)]
    if not commits:
        begun = {name.removeprefix(_STARTED) for name in found if name.startswith(_STARTED)}
        data = {name for name in parts if not begun.intersection(_TASK_OF.findall(name))}
        return _of(data, parts, 0, 0, SUCCESS in found)
    readable = [commit for commit in commits if commit is not None]
    named = {name for commit in readable for name in commit.added} - {
        name for commit in readable for name in commit.removed
    }
    missing = sum(name.startswith(_PART) for name in named - parts)
    return _of(parts & named, parts, missing, len(commits) - len(readable), finished=True)


def _of(data: set[str], parts: set[str], missing: int, unreadable: int, finished: bool) -> Folder:
    return Folder(tuple(sorted(data)), len(parts - data), missing, unreadable, finished)


def _commit(content: bytes) -> Commit | None:
    try:
        return msgspec.json.decode(content, type=Commit)
    except (msgspec.MsgspecError, RecursionError):
        return None
