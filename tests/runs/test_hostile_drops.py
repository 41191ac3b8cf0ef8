"""Files that are made to keep the app busy: each is refused in seconds, in little memory, and
another's drop goes on as ever.
"""

import subprocess
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.data import a_training_set
from tests.patience import slowness
from tests.runs.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

REFUSED_WITHIN_S = 10
"""From the moment that the last byte is there."""
MEMORY_MB = 400
BESIDE, BESIDE_S = 2, 5
"""A bystander's drop may take so many times as long as alone, and so many seconds: processors are
shared, nothing is waited for.
"""


def sparse_page_blob(stack: Stack, name: str) -> None:
    """64 GiB that nobody had to send."""
    stack.training.get_blob_client(f"{name}/training_set.jsonl").create_page_blob(64 * 2**30)


def large_job_file(stack: Stack, name: str) -> None:
    """A job.json of 400 MB beside good data."""
    stack.training.upload_blob(f"{name}/job.json", b"[" * 400_000_000, max_concurrency=4)
    stack.training.upload_blob(f"{name}/training_set.jsonl", a_training_set(name))


def empty_objects(stack: Stack, name: str) -> None:
    """11 million lines, each of which is wrong."""
    stack.training.upload_blob(f"{name}/training_set.jsonl", b"{}\n" * (32 * 2**20 // 3))


def bomb(stack: Stack, name: str) -> None:
    """2 GiB of zeros in an archive of some 2 MB."""
    packer = zlib.compressobj(1, wbits=31)
    packed = b"".join([*(packer.compress(b"\0" * 2**20) for _ in range(2_048)), packer.flush()])
    stack.training.upload_blob(f"{name}/training_set.jsonl.gz", packed)


ATTACKS: dict[str, tuple[Callable[[Stack, str], None], str]] = {
    "64 GiB sparse page blob": (sparse_page_blob, "TD-DROP-007"),
    "400 MB job.json": (large_job_file, "TD-PLAN-001"),
    "32 MiB of empty objects": (empty_objects, "TD-DROP-006"),
    "archive of 2 GiB of zeros": (bomb, "TD-DROP-009"),
}


def peak_mb(process: "subprocess.Popen[bytes]") -> float:
    """The most memory that a process has held, in MiB, as Linux tells it; 0 elsewhere."""
    status = Path(f"/proc/{process.pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def took_s(stack: Stack, name: str) -> float:
    """How long a good drop takes from its last byte to its end."""
    stack.drop(name, a_training_set(name))
    began = time.monotonic()
    assert stack.ended(name, 120)["outcome"] == "succeeded"
    return time.monotonic() - began


@pytest.mark.parametrize("attack", list(ATTACKS))
def test_hostile_file_is_refused_in_seconds_and_nobody_else_feels_it(
    stack: Stack, name: str, attack: str
) -> None:
    """By name, in bounded memory of the host, while a bystander's drop takes its usual time."""
    strike, code = ATTACKS[attack]
    usual_s = took_s(stack, f"{name}-a")
    strike(stack, name)
    began = time.monotonic()
    with ThreadPoolExecutor(1) as beside:
        bystander = beside.submit(took_s, stack, f"{name}-b")
        run = stack.ended(name, 120)
        refused_s = time.monotonic() - began
    assert stack.host is not None
    told = {
        "s": refused_s,
        "MiB": peak_mb(stack.host),
        "usual": usual_s,
        "beside": bystander.result(),
    }
    assert (run["outcome"], run["problem"]["code"]) == ("rejected", code)
    assert told["s"] < REFUSED_WITHIN_S * slowness(), told
    assert told["MiB"] < MEMORY_MB, told
    assert told["beside"] < BESIDE * usual_s + BESIDE_S * slowness(), told
