"""The search for secrets, personal data and odd characters, beside its peers on the same bytes in
the same run.

    python -m benchmarks.search [--mb 8] [--json]

Peers: the same candidate patterns in the standard library's `re`, and alone in google-re2, which is
the limit. Times are CPU times of one process, the best of several.
"""

import argparse
import json
import random
import re
import time
from collections.abc import Callable

from tunedrop_check.contents.search import blocks
from tunedrop_check.contents.search.patterns import compiled

SEED = 20261124
LINE_BYTES = 2000
BLOCK_BYTES = 2**20
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


def lines_of(megabytes: int, with_personal_data: bool) -> list[bytes]:
    """Chat examples of about 2 KB in a made-up language; with personal data, one line in four holds
    an address or a number.
    """
    chance = random.Random(SEED)  # noqa: S311
    words = [
        "".join(chance.choices(LETTERS[: chance.randint(8, 26)], k=chance.randint(2, 10)))
        for _ in range(5000)
    ]
    lines: list[bytes] = []
    for number in range(megabytes * 2**20 // LINE_BYTES):
        text = " ".join(chance.choice(words) for _ in range(LINE_BYTES // 7))
        if with_personal_data and number % 4 == 0:
            text += f" Write to ann{number}@corp.com or call +49 151 {number:08}."
        messages = [
            {"role": "user", "content": text[: len(text) // 3]},
            {"role": "assistant", "content": text[len(text) // 3 :]},
        ]
        lines.append(json.dumps({"messages": messages}).encode())
    return lines


def blocks_of(lines: list[bytes]) -> list[bytes]:
    """Blocks of whole lines, of about 1 MiB."""
    each = BLOCK_BYTES // LINE_BYTES
    return [b"\n".join(lines[begin : begin + each]) for begin in range(0, len(lines), each)]


def megabytes_per_second(search: Callable[[bytes], object], data: list[bytes], times: int) -> float:
    """The speed of a search."""
    best = float("inf")
    for _ in range(times):
        begun = time.process_time()
        for block in data:
            search(block)
        best = min(best, time.process_time() - begun)
    return sum(map(len, data)) / best / 1e6


def measured(megabytes: int) -> dict[str, float]:
    """The speeds in MB/s."""
    clean, personal = (
        blocks_of(lines_of(megabytes, with_personal_data)) for with_personal_data in (False, True)
    )
    candidates = "|".join(lead.pattern for kind in blocks.KINDS for lead in kind.leads)
    standard, linear = re.compile(candidates.encode("latin-1")), compiled(candidates)
    return {
        "ours": megabytes_per_second(blocks.search, clean, 5),
        "ours_with_personal_data": megabytes_per_second(blocks.search, personal, 5),
        "re": megabytes_per_second(standard.findall, clean, 1),
        "google_re2": megabytes_per_second(lambda block: list(linear.finditer(block)), clean, 5),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measures the search beside its peers.")
    parser.add_argument("--mb", type=int, default=8, help="size of the data")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    asked = parser.parse_args()
    speeds = measured(asked.mb)
    ratios = {peer: speeds["ours"] / speeds[peer] for peer in ("re", "google_re2")}
    for name, speed in speeds.items():
        print(f"{name:24} {speed:8.0f} MB/s")
    for peer, ratio in ratios.items():
        print(f"ours over {peer:14} {ratio:8.2f}")
    if asked.json:
        print(json.dumps({"ratios": ratios, "mb_per_second": speeds}))


if __name__ == "__main__":
    main()
