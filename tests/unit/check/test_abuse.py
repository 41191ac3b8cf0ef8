"""The catalogue of abuse: each input ends in its named diagnosis, in bounded time and memory."""

import ctypes
import gc
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.patience import processor_slowness
from tests.unit.check import abuse
from tests.unit.check.abuse import Abuse
from tests.unit.check.builders import IMAGE_MODEL, TEXT_MODEL, MemorySource
from tunedrop_check.counting import vocabulary
from tunedrop_check.rules import content_rules, format_rules
from tunedrop_check.scan import scanning

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
FEWEST = 60
RESULT_BYTES = 200_000


@pytest.fixture(scope="module", autouse=True)
def warm() -> Iterator[None]:
    """Vocabularies are loaded once, and not on any input's account; what lives by then need not be
    looked at by every collection.
    """
    for model in (TEXT_MODEL, IMAGE_MODEL):
        vocabulary.encoding(model.encoding)
        scanning.scan_source(MemorySource(abuse.SOUND), scanning.ScanOptions(model))
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def parameters() -> Iterator[Any]:
    """The inputs under their names; those that take long are marked."""
    for name, given in abuse.CATALOGUE.items():
        yield pytest.param(
            given, id=name, marks=[pytest.mark.slow, pytest.mark.timeout(300)] if given.slow else []
        )


@pytest.mark.parametrize("given", list(parameters()))
def test_abuse_ends_in_its_diagnosis_within_its_bounds(given: Abuse) -> None:
    """Of the rules on form exactly the named codes, a small result, no more memory than stated, nor
    processor time of a quiet machine.
    """
    source = given.make()
    with Measured() as measured:
        found = scanning.scan_source(source, scanning.ScanOptions(given.model, given.role))
    codes = {f"TD-DATA-{number}" for number in given.codes.split()}
    assert found.counts.keys() - content_rules.RULES.keys() == codes
    assert bool(found.errors) == any(format_rules.RULES[code].severity == "error" for code in codes)
    assert found.errors or found.examples, "silence"
    assert len(scanning.to_json(found)) < RESULT_BYTES
    assert measured.cpu_s < given.cpu_s * processor_slowness()
    assert measured.peak_mb < given.memory_mb


class Measured:
    """Processor time, and the most memory beyond what was held before; the memory is 0 where the
    system doesn't tell it.
    """

    def __enter__(self) -> Self:
        gc.collect()
        if CLEAR.exists():
            # Glibc's: what lies free would hide what the scan takes.
            trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
            if trim:
                trim(0)
            CLEAR.write_text("5")  # the peak begins anew
        self._held, self._began = resident("VmRSS"), time.process_time()
        return self

    def __exit__(self, *_failure: object) -> None:

        self.cpu_s, self.peak_mb = time.process_time() - self._began, resident("VmHWM") - self._held


def resident(field: str) -> float:
    """Megabytes of this process in memory: now (VmRSS), or at most (VmHWM)."""
    if not CLEAR.exists():
        return 0
    kilobytes = re.search(rf"{field}:\s+(\d+)", STATUS.read_text())
    assert kilobytes
    return int(kilobytes[1]) / 1024


def test_catalogue_is_as_large_as_promised() -> None:
    """At least sixty inputs, each under a name of its own."""
    assert (
        len(abuse.CATALOGUE)
        == sum(map(len, (abuse.FILES, abuse.JSON_TEXTS, abuse.EXAMPLES, abuse.SIZES)))
        >= FEWEST
    )
