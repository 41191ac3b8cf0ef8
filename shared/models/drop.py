"""A drop: which blobs make a run, what the run is called, and its id.

The rules are the contract of docs/architecture.md, "The drop"; everything here is pure.
"""

import hashlib
import re
from enum import StrEnum
from typing import Literal

from shared.models.base import Frozen
from tunedrop_check.reading import drop_names

RUN_NAME = re.compile(r"[a-z0-9](-?[a-z0-9])*")
RUN_NAME_MAX_CHARS = 31
# A name, a hyphen and eight hexadecimal digits.
RUN_ID_MAX_CHARS = 40
# The run that a drop with an unusable name is reported under.
NAMELESS = "invalid-name"

# Behind the name of a data file that is a gzip archive.
PACKED = ".gz"
TRAINING_SET, VALIDATION_SET, JOB_FILE, SUCCESS = (
    drop_names.TRAINING_SET,
    drop_names.VALIDATION_SET,
    drop_names.JOB_FILE,
    drop_names.SUCCESS,
)


class Layout(StrEnum):
    """How a drop is laid out in the container."""

    FILE = "file"  # <run>.jsonl, or packed
    FOLDER = "folder"  # <run>/training_set.jsonl, or packed
    SPARK = "spark"  # <run>/training/part-*, started by _SUCCESS


class Drop(Frozen):
    """One upload of a starting blob: the identity of a run."""

    account: str
    container: str
    blob: str
    etag: str
    name: str
    layout: Layout
    at_once: bool = False
    """Started over HTTP: the blobs are there, no settling."""

    @property
    def run_id(self) -> str:
        """`<run>-<8 hex>`, at most 40 characters, so that it can be the job's suffix."""
        return f"{self.name}-{_digest(self.account, self.container, self.blob, self.etag)}"

    @property
    def named(self) -> bool:
        """Whether the drop's name can be the name of a run."""
        return self.name != NAMELESS

    @property
    def packed(self) -> bool:
        """Whether the training file is a gzip archive."""
        return self.blob.endswith(PACKED)

    def companion(self, file: Literal["validation_set.jsonl", "job.json"]) -> str | None:
        """The name of the blob that stands beside the training file, where the layout has such a
        place.
        """
        return f"{self.name}/{file}" if self.layout is not Layout.FILE else None


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def drop_of(
    account: str, container: str, blob: str, etag: str, *, at_once: bool = False
) -> Drop | None:
    """The drop that this blob starts, or None where it starts none.

    A starting blob under a name that can't be a run's is a drop named `invalid-name`: it ends
    rejected, with a report, and not in silence.
    """
    folder, _, file = blob.rpartition("/")
    plain = file.removesuffix(PACKED)
    if not folder and file.lower().removesuffix(PACKED).endswith(".jsonl"):
        name, layout = (plain[:-6] if plain.endswith(".jsonl") else ""), Layout.FILE
    elif plain == TRAINING_SET:
        name, layout = folder, Layout.FOLDER
    elif file == SUCCESS and folder.endswith("/training"):
        name, layout = folder.removesuffix("/training"), Layout.SPARK
    else:
        return None
    usable = len(name) <= RUN_NAME_MAX_CHARS and RUN_NAME.fullmatch(name) and name != NAMELESS
    return Drop(
        account=account,
        container=container,
        blob=blob,
        etag=etag.strip('"'),
        name=name if usable else NAMELESS,
        layout=layout,
        at_once=at_once,
    )
