"""The simulator by hand.

    python -m tests.faults.simulate --seeds 10000 --jobs 2 --record     many seeds, kept in
    docs/reliability.md
    python -m tests.faults.simulate --seed 27                           one, with its last events
    python -m tests.faults.simulate --seeds 200 --trouble storm         all trouble at once in every
    seed
    python -m tests.faults.simulate --mutations --record                every known bug, until it is
    caught; the tests take the seed
    python -m tests.faults.simulate --events 1000                       drops whose events are lost,
    doubled and late

Each exits 1 where an invariant does not hold, or a known bug is not caught.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict

from tests.faults.simulator import caught, events, many
from tests.faults.simulator.caught import Catch
from tests.faults.simulator.many import Result
from tests.faults.simulator.mutations import MUTATIONS
from tests.faults.simulator.record import write
from tests.faults.simulator.trouble import PRESETS

SEEDS_PER_MUTATION = 2000
TOLD_EVERY = 100


def main() -> int:
    """Does what the command line asks for."""
    asked = _parser().parse_args()
    if asked.events:
        return _events(asked.events, asked.seed)
    if asked.mutations:
        return _mutations(asked)
    return _seeds(asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.simulate", description="Simulates TuneDrop under faults."
    )
    parser.add_argument(
        "--seeds",
        type=int,
        help="how many seeds; for --mutations the most for each (default 1, or 2000)",
    )
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--mutation", choices=sorted(MUTATIONS), help="put this known bug in")
    parser.add_argument("--mutations", action="store_true", help="put each known bug in, in turn")
    parser.add_argument(
        "--trouble",
        choices=PRESETS,
        help="the same trouble in every seed, as it is for --mutations",
    )
    parser.add_argument("--events", type=int, help="so many drops, to count runs and jobs")
    parser.add_argument(
        "--shown", type=int, default=40, help="how many of the last events a violation shows"
    )
    parser.add_argument("--json", action="store_true", help="a line of JSON for each seed")
    parser.add_argument(
        "--record", action="store_true", help="keep the result in docs/reliability.md"
    )
    return parser


def _seeds(asked: argparse.Namespace) -> int:
    began, total = time.monotonic(), many.Total()
    seeds = range(asked.seed, asked.seed + (asked.seeds or 1))
    try:
        for result in many.results(seeds, asked.jobs, asked.mutation, PRESETS.get(asked.trouble)):
            total.add(result)
            if asked.json:
                print(json.dumps(asdict(result)), flush=True)
            elif result.violation:
                print(told(result, asked.shown), flush=True)
            elif total.seeds % TOLD_EVERY == 0:
                print(
                    f"{total.seeds} seeds, {time.monotonic() - began:.0f} s",
                    file=sys.stderr,
                    flush=True,
                )
    except KeyboardInterrupt:
        print("Interrupted: what follows is the sum so far.", file=sys.stderr)
    took_s = time.monotonic() - began
    if not asked.json:
        print(f"{total.sentence()} {took_s:.0f} s.")
    if asked.record:
        write(total, took_s)
    return 1 if total.violations else 0


def told(result: Result, shown: int) -> str:
    """A violation with its seed and the last events."""
    return "\n".join(
        [
            *result.last[max(0, len(result.last) - shown) :],
            f"seed {result.seed}: {result.violation}",
        ]
    )


def _mutations(asked: argparse.Namespace) -> int:
    """Looks for the first seed that catches each; a seed that is known to is not looked for
    again.
    """
    most, known = asked.seeds or SEEDS_PER_MUTATION, caught.read()
    for name in MUTATIONS:
        if name in known and _still_catches(known[name], name):
            continue
        found = many.first_violation(name, range(asked.seed, asked.seed + most))
        told = (
            f"caught by seed {found[0].seed}: {found[0].violation}"
            if found
            else f"NOT caught within {most} seeds"
        )
        print(f"{name:40} {told}", flush=True)
        known.pop(name, None)
        if found:
            known[name] = Catch(found[0].seed, found[1])
        if asked.record:
            caught.write(known)
    return 1 if set(MUTATIONS) - set(known) else 0


def _still_catches(catch: Catch, name: str) -> bool:
    without = many.result_of(catch.seed, trouble=catch.trouble)
    return bool(
        many.result_of(catch.seed, name, catch.trouble).violation and without.violation is None
    )


def _events(count: int, seed: int) -> int:
    counted = events.counted(count, seed)
    print(
        f"{count} drops, {counted.lost} events lost, {counted.doubled} doubled: {counted.runs} "
        f"runs, {counted.jobs} jobs"
    )
    return 0 if (counted.runs, counted.jobs) == (count, count) else 1


if __name__ == "__main__":
    raise SystemExit(main())
