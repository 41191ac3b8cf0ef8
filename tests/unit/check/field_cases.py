"""The cases from the field, which lie beside the checkout: small files in which people who do this
job met a fault.
"""

from pathlib import Path

import pytest

from tests.unit.check.builders import TEXT_MODEL, MemorySource
from tunedrop_check.scan import scanning

FOLDER = Path(__file__).parents[3].resolve().parent / "shared" / "cases"


def folder_of(number: str) -> Path:
    """The folder of a case, by its number; the test is skipped where it isn't there."""
    found = next(iter(sorted(FOLDER.glob(f"{number}-*"))), None)
    if found is None:
        pytest.skip(f"case {number} is not beside the checkout (../shared/cases)")
    return found


def case(number: str, name: str = "training_set.jsonl") -> bytes:
    """A file of a case."""
    return (folder_of(number) / name).read_bytes()


def scan_of(content: bytes, options: scanning.ScanOptions | None = None) -> scanning.FileScan:
    """The scan of a case as training data for a text model, or as said."""
    return scanning.scan_source(
        MemorySource(content), options or scanning.ScanOptions(TEXT_MODEL), threads=1
    )
