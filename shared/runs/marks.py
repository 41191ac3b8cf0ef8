"""The marks by which a run knows what it made: by them it is found again, also where its id was
never recorded. Pure.
"""

import re

from shared.models.plan import Role
from shared.models.record import RunRecord

HASH_CHARS = 12  # of the content's hash, in a file's name
_FILE = re.compile(
    rf"(?P<run>[a-z0-9-]+)-(?P<hash>[0-9a-f]{{{HASH_CHARS}}})-(?P<role>training|validation)_set\.jsonl"
)


def file_name(record: RunRecord, role: Role) -> str:
    """The name of the service's copy of a file: `<run id>-<content hash>-<the lab's own name>`."""
    return f"{record.id}-{record.files[role].content_hash[:HASH_CHARS]}-{role}_set.jsonl"


def run_of_file(name: str) -> str | None:
    """The id of the run that may have given a file this name; None where no run does so."""
    found = _FILE.fullmatch(name)
    return found["run"] if found else None
