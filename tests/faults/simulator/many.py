"""Many seeds, on several processes, in the order of the seeds; and their sum."""

import gc
import hashlib
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from tests.faults.simulator.mutations import mutated
from tests.faults.simulator.simulation import Simulation
from tests.faults.simulator.trouble import PRESETS, Trouble
from tests.faults.simulator.watch import Violation

COLLECTED_AFTER = 100_000  # objects
AT_A_TIME = 4  # seeds that a process takes at once


@dataclass(frozen=True)
class Result:
    """How one seed ended; `last` holds the events before a violation."""

    seed: int
    trace: str
    violation: str | None
    outcomes: dict[str, int]
    last: tuple[str, ...] = ()


@dataclass
class Total:
    """The sum of many seeds. `trace` is the hash of all their traces in order."""

    seeds: int = 0
    first: int = 0
    violations: int = 0
    outcomes: Counter[str] = field(default_factory=Counter[str])
    _traces: list[str] = field(default_factory=list[str])

    def add(self, result: Result) -> None:
        """Adds one seed."""
        self.first = self.first if self.seeds else result.seed
        self.seeds += 1
        self.violations += result.violation is not None
        self.outcomes.update(result.outcomes)
        self._traces.append(result.trace)

    @property
    def trace(self) -> str:
        """One hash for all."""
        return hashlib.sha256("\n".join(self._traces).encode()).hexdigest()[:16]

    def sentence(self) -> str:
        """What came of them."""
        ended = ", ".join(f"{count} {outcome}" for outcome, count in self.outcomes.most_common())
        return (
            f"{self.seeds} seeds from {self.first}, {self.violations} violations, trace "
            f"{self.trace}; runs: {ended}."
        )


def result_of(seed: int, mutation: str | None = None, trouble: Trouble | None = None) -> Result:
    """Runs one seed, with a known bug where one is named, and with this trouble instead of the
    seed's own.
    """
    simulation = Simulation(
        seed, trouble=trouble, mutation=partial(mutated, mutation) if mutation else None
    )
    try:
        simulation.run()
        violation = None
    except Violation as found:
        violation = str(found)
    outcomes = Counter(str(record.outcome) for record in simulation.watch.records.values())
    return Result(
        seed,
        simulation.stage.trace,
        violation,
        dict(outcomes),
        tuple(simulation.stage.last) if violation else (),
    )


def results(
    seeds: Iterable[int],
    processes: int,
    mutation: str | None = None,
    trouble: Trouble | None = None,
) -> Iterator[Result]:
    """The results of these seeds, in their order."""
    run = partial(result_of, mutation=mutation, trouble=trouble)
    if processes == 1:
        yield from map(run, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes, _settle_in) as pool:
        yield from pool.imap(run, seeds, AT_A_TIME)


def _settle_in() -> None:
    """What is loaded stays, and a simulation leaves little behind: the collector needn't look so
    often.
    """
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER, 50, 50)


def first_violation(mutation: str, seeds: Iterable[int]) -> tuple[Result, str | None] | None:
    """The first of these seeds that catches a known bug, and in which of the presets, or in the
    seed's own trouble. What is caught is the bug: without it the seed holds.
    """
    for seed in seeds:
        for preset in (*PRESETS, None):
            trouble = PRESETS[preset] if preset else None
            found = result_of(seed, mutation, trouble)
            if found.violation and result_of(seed, trouble=trouble).violation is None:
                return found, preset
    return None


def violations(seeds: Iterable[int], processes: int, trouble: Trouble | None = None) -> list[str]:
    """What does not hold in these seeds; `python -m tests.faults.simulate --seed N` shows the
    events before it.
    """
    found = results(seeds, processes, trouble=trouble)
    return [f"seed {result.seed}: {result.violation}" for result in found if result.violation]
