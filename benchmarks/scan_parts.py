"""The parts that benchmarks/scan.py compares, each run in a process of its own on the same file.

    python -m benchmarks.scan_parts PART FILE

Prints one JSON object: seconds of wall and processor time, megabytes, and tokens where the part
counts all. What a part needs before it can begin (imports, vocabularies, strings in memory for the
bare counters) is not timed.
"""

import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import toktok  # pyright: ignore[reportMissingTypeStubs]

from benchmarks.azurite_run import AzuriteRun
from tunedrop_check.counting import counters, vocabulary
from tunedrop_check.models import base_models
from tunedrop_check.scan import scanning

MODEL = base_models.base_model("gpt-4.1-mini")
BATCH = (
    2_000  # texts that a bare counter takes at a time, so that its results don't fill the memory
)
SPAN_BYTES = 8 * 2**20

Work = Callable[[], int | None]


def lab_script(file: Path) -> Work:
    """The lab's notebook cells: every line decoded, each value encoded, answers once more, figures
    by numpy (SEED: one thread).

    The lab's script stops at a value that is no string; here it counts as docs/data-formats.md
    says.
    """
    encoding = vocabulary.encoding(MODEL.encoding)

    def length(value: Any) -> int:
        text = (
            value
            if isinstance(value, str)
            else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            if value
            else ""
        )
        return len(encoding.encode(text))

    def work() -> int:
        dataset = [json.loads(line) for line in file.open(encoding="utf-8")]
        totals, answers = list[int](), list[int]()
        for example in dataset:
            messages = example.get("messages", {})
            totals.append(
                3
                + sum(
                    3 + sum(length(value) + (key == "name") for key, value in message.items())
                    for message in messages
                )
            )
            answers.append(
                sum(
                    length(message["content"])
                    for message in messages
                    if message["role"] == "assistant"
                )
            )
        for values in (totals, answers):
            for figure in (np.min, np.max, np.mean, np.median):
                figure(values)
        return sum(totals)

    return work


def strings_of(file: Path) -> list[list[str]]:
    """Every string that the recipe counts, in batches."""
    decoder = msgspec.json.Decoder[dict[str, Any]]()
    with file.open("rb") as lines:
        examples = map(decoder.decode, lines)
        values = [
            value
            for example in examples
            for message in example["messages"]
            for value in message.values()
            if value is not None
        ]
    texts = [
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for value in values
    ]
    return [texts[begin : begin + BATCH] for begin in range(0, len(texts), BATCH)]


def tiktoken_batch(file: Path) -> Work:
    """tiktoken over the same strings by its own call for all cores, encode_ordinary_batch."""
    encoding, batches = vocabulary.encoding(MODEL.encoding), strings_of(file)

    def work() -> None:
        for batch in batches:
            encoding.encode_ordinary_batch(batch, num_threads=scanning.processors())

    return work


def tiktoken_processes(file: Path) -> Work:
    """tiktoken over the same strings in a process for each core: its threads wait for the
    interpreter's lock at every text.
    """
    encoding, batches = vocabulary.encoding(MODEL.encoding), strings_of(file)
    cores = scanning.processors()

    def count(first: int) -> None:
        for batch in batches[first::cores]:
            for text in batch:
                encoding.encode_ordinary(text)

    def work() -> None:
        workers = [
            multiprocessing.get_context("fork").Process(target=count, args=(first,))
            for first in range(cores)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return work


def fast_counter(file: Path) -> Work:
    """toktok over the same strings, on all cores: the limit."""
    batches = strings_of(file)
    toktok.batch_count(batches[0], MODEL.encoding)

    def work() -> None:
        for batch in batches:
            toktok.batch_count(batch, MODEL.encoding, scanning.processors())

    return work


def ours(file: Path, watched: bool) -> Work:
    """Ours from disk, as `tunedrop check` does it."""
    options = scanning.ScanOptions(MODEL, watched=watched)
    counters.counter(MODEL.encoding).count(["warm", "é"])
    return lambda: scanning.scan_file(file, options).total.sum


def disk(file: Path) -> Work:
    """Ours from disk on one thread, with all findings."""
    options = scanning.ScanOptions(MODEL)
    counters.counter(MODEL.encoding).count(["warm", "é"])
    return lambda: (
        scanning.scan_source(scanning.FileSource(file), options, SPAN_BYTES, threads=1).total.sum
    )


def activity(file: Path, fan_out: bool) -> Work:
    """Ours as the app's activity, through Azurite: one that reads all, or one for each span of 8
    MiB, as many at once as cores.
    """
    run = AzuriteRun(file)
    counters.counter(MODEL.encoding).count(["warm", "é"])

    def work() -> int:
        if fan_out:
            with ThreadPoolExecutor(scanning.processors()) as pool:
                list(pool.map(run.scan, scanning.spans(run.bytes, SPAN_BYTES)))
        else:
            run.scan(scanning.Span(0, run.bytes))
        return run.tokens()

    return work


PARTS: dict[str, Callable[[Path], Work]] = {
    "lab_script": lab_script,
    "tiktoken": tiktoken_batch,
    "tiktoken_processes": tiktoken_processes,
    "fast_counter": fast_counter,
    "rules": partial(ours, watched=False),
    "findings": partial(ours, watched=True),
    "disk": disk,
    "activity": partial(activity, fan_out=False),
    "fan_out": partial(activity, fan_out=True),
}


def cpu_seconds() -> float:
    """The processor time of this process and of those that it has ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def report(file: Path, work: Work) -> None:
    """Run and print."""
    begun, cpu_begun = time.perf_counter(), cpu_seconds()
    tokens = work()
    seconds, cpu = time.perf_counter() - begun, cpu_seconds() - cpu_begun
    print(
        json.dumps(
            {
                "seconds": seconds,
                "megabytes": file.stat().st_size / 1e6,
                "cpu_seconds": cpu,
                "tokens": tokens,
            }
        )
    )


if __name__ == "__main__":
    report(Path(sys.argv[2]), PARTS[sys.argv[1]](Path(sys.argv[2])))
