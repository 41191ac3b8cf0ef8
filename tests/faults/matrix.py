"""The kill matrix: every point at which a run can be struck, in every way, and what must be true at
the run's end.

Many cells share one host. To be killed together, each run is held at its own point; when all stand
there, one SIGKILL meets each of them exactly where its cell says. What is asserted stands in the
stand-in's own ledger, not in ours.
"""

import itertools
import json
import logging
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx2
from azure.storage.blob import BlobServiceClient
from durabletask import history

from shared.models import effect_kinds
from shared.models.effect_kinds import EffectKind
from shared.services.azure_openai import ENDED
from tests.data import a_question, a_training_set
from tests.faults import points, strikes
from tests.patience import until
from tests.runs.stack import Stack

type Way = Literal["kill", "raise", "twice"]
type Scenario = Literal["good", "bad", "cancelled", "reusing"]

WAYS: dict[Way, str] = {"kill": "SIGKILL", "raise": "exception", "twice": "twice at once"}
HELD_AT_ONCE = 8  # of the ten activities that a host runs at the same time
AT_ONCE = 16  # runs side by side where nothing is held
ENDS = {"good": "succeeded", "bad": "failed", "cancelled": "cancelled", "reusing": "succeeded"}


def by_scenario() -> dict[Scenario, tuple[str, ...]]:
    """The beginnings of the points that only one story passes: how a kind is taken back that others
    keep.
    """
    stays = [kind for kind in effect_kinds.EFFECTS if kind.after_success == "stays"]
    seconds = [kind for kind in effect_kinds.EFFECTS if kind.after_success == "second ones go"]
    # The wake-up of a cancel would cut the first sleep of its ending short.
    sleeps = [points.SLEEPS.format(kind.taken_back_by) for kind in (*stays, *seconds)]
    return {
        "bad": (*_taking_back(stays), *sleeps),
        "cancelled": (*_taking_back(seconds), "cancel_run"),
        "reusing": ("claim_content: before the reuse", "claim_content: after the reuse"),
    }


def _taking_back(kinds: Iterable[EffectKind]) -> list[str]:
    return [start for kind in kinds for start in (f"remove {kind.kind}", kind.taken_back_by)]


# Points that only a run of packed files passes, and those near them.
PACKED = ("make_plan: ", "write_report: after the unpacked")
# The cells that every test run has: they share two hosts' lives.
QUICK: dict[Way, tuple[str, ...]] = {
    "kill": (
        *(
            f"make job: {place}"
            for place in (
                "before the intent",
                "after the intent",
                "after the call",
                "after the record",
            )
        ),
        "make deployment: after the call",
        "make file:training: after the call",
        "start_once: after the claim",
        "end_run: before the record",
    ),
    "raise": (
        "make file:training: after the call",
        "make deployment: after the call",
        "write_report: after report.json",
    ),
    "twice": (
        "make file:training: after the intent",
        "make job: after the intent",
        "make deployment: before the intent",
    ),
}
QUIETLY = logging.getLogger("tests.faults.matrix")
QUIETLY.setLevel(logging.WARNING)
TRAINS = points.BEGINS.format("job_status")


@dataclass(frozen=True)
class Cell:
    """One run that is struck once."""

    point: str
    way: Way
    run: str = field(default_factory=lambda: f"cell-{secrets.token_hex(6)}")

    @property
    def scenario(self) -> Scenario:
        """The story that passes the point."""
        found: list[Scenario] = [
            name for name, starts in by_scenario().items() if self.point.startswith(starts)
        ]
        return found[0] if found else "good"

    @property
    def outcome(self) -> str:
        """How the run must end: as if nothing had been. Only the call that costs money is not
        repeated after an exception.
        """
        never_repeated = self.way == "raise" and self.point.startswith("make job")
        return "failed" if never_repeated else ENDS[self.scenario]

    @property
    def struck_at(self) -> str:
        """The point as the host meets it: while a sub-orchestration's first activity runs, the
        story waits for the whole.
        """
        name, _, begins = self.point.partition(" ")
        return (
            points.BEGINS.format(points.first_activity(name))
            if begins == "begins" and name in points.parts()
            else self.point
        )


def wave(way: Way, some: Iterable[str]) -> list[Cell]:
    """A cell for each of these points."""
    return [Cell(point, way) for point in some]


def waves(way: Way) -> list[list[Cell]]:
    """The cells of a way, in groups that share a host, but for the quick ones."""
    left = [point for point in points.checkpoints() if point not in QUICK[way]]
    if way != "kill":
        return [wave(way, some) for some in itertools.batched(left, AT_ONCE, strict=False)]
    held = [*left, *(point for point in points.waits() if point.endswith("begins"))]
    sleeps = [point for point in points.waits() if point.startswith("sleep")]
    # A nap is short: nothing else is waited for.
    naps = [[point] for point in points.waits() if point.startswith("nap")]
    return [
        wave(way, some)
        for some in (*itertools.batched(held, HELD_AT_ONCE, strict=False), sleeps, *naps)
    ]


class Wave:
    """Cells that share a host."""

    def __init__(self, stack: Stack, cells: list[Cell]) -> None:
        self._stack = stack
        self._cells = cells
        self._folder = Path(stack.settings["TUNEDROP_TEST_STRIKES"])

    def run(self) -> dict[Cell, list[str]]:
        """Strikes every run once, and answers what is wrong at the end, cell by cell."""
        # What reuses a model needs another run that has trained it, before anything is held.
        for cell in self._cells:
            if cell.scenario == "reusing":
                first = f"first-{secrets.token_hex(6)}"
                self._stack.drop(first, *_data(cell))
                self._stack.ended(first)
        for cell in self._cells:
            self._arm(cell)
        cancelled = [cell for cell in self._cells if cell.scenario == "cancelled"]
        with ThreadPoolExecutor(len(self._cells)) as side_by_side:
            list(side_by_side.map(self._drop, self._cells))
            cancelling = [side_by_side.submit(self._cancel, cell) for cell in cancelled]
            if self._cells[0].way == "kill":
                self._kill()
            for one in cancelling:
                one.result()
        until(self._all_ended, 150, "the end of all runs", every_s=0.5)
        seen = Seen.of(self._stack)
        return {cell: [*self._missed(cell), *seen.wrong(self._stack, cell)] for cell in self._cells}

    def _arm(self, cell: Cell) -> None:
        if cell.scenario == "cancelled":
            # A run whose cancel is held must not come to its end meanwhile.
            held = cell.way == "kill" and cell.point.startswith("cancel_run")
            strikes.arm(self._folder, TRAINS, cell.run, "hold" if held else "note")
        if not cell.point.startswith("nap"):
            strikes.arm(
                self._folder, cell.struck_at, cell.run, "hold" if cell.way == "kill" else cell.way
            )

    def _drop(self, cell: Cell) -> None:
        expecting: dict[str, Any] = {
            "messages": a_question(cell.run),
            "expect": {"contains": ["octarine"]},
        }
        jobs: dict[Scenario, dict[str, Any]] = {
            "bad": {"smoke_test": expecting},
            "reusing": {"reuse": True},
        }
        packed, job = cell.point.startswith(PACKED), jobs.get(cell.scenario, {})
        self._stack.drop(cell.run, *_data(cell), job, packed=packed)

    def _cancel(self, cell: Cell) -> None:
        """Cancels the run while it trains; asks again where the host was struck meanwhile."""
        until(
            lambda: strikes.reached(self._folder, TRAINS, cell.run),
            60,
            f"the training of {cell.run}",
        )

        def cancelled() -> bool:
            with suppress(httpx2.TransportError):
                return self._stack.api.post(f"/runs/{self._id(cell)}/cancel").status_code in {
                    202,
                    409,
                }
            return False

        until(cancelled, 90, f"the cancel of {cell.run}")

    def _id(self, cell: Cell) -> str:
        return str(next(row["id"] for row in self._stack.runs(cell.run)))

    def _kill(self) -> None:
        """One SIGKILL when every run stands at its point."""
        left = list(self._cells)

        def all_stand() -> bool:
            left[:] = [cell for cell in left if not self._stands(cell)]
            return not left

        try:
            until(all_stand, 90)
        except TimeoutError:
            raise TimeoutError(
                f"never at its point: {[(cell.point, self._stack.runs(cell.run)) for cell in left]}"
            ) from None
        finally:  # also where a run was missed: what is held would be in the way of the next wave
            self._stack.kill_host()
            self._stack.break_lease()
            self._stack.start_host()

    def _stands(self, cell: Cell) -> bool:
        """Whether the run is at its point: held there, or in a timer of the engine."""
        if not cell.point.startswith("nap") and not strikes.reached(
            self._folder, cell.struck_at, cell.run
        ):
            return False
        return not cell.point.startswith(("nap", "sleep")) or self._in_a_timer(cell)

    def _in_a_timer(self, cell: Cell) -> bool:
        if not self._stack.runs(cell.run):
            return False
        after = cell.point.rpartition(" ")[2]
        part = points.part_of(after)
        hub = self._stack.hub(QUIETLY)
        try:
            told = hub.get_orchestration_history(
                self._id(cell) + (f"-{part}" if part in points.parts() else "")
            )
        finally:
            hub.close()
        calls = [event.name for event in told if isinstance(event, history.TaskScheduledEvent)]
        last = [
            event
            for event in told
            if not isinstance(
                event, history.OrchestratorStartedEvent | history.OrchestratorCompletedEvent
            )
        ]
        return (
            bool(last) and isinstance(last[-1], history.TimerCreatedEvent) and calls[-1:] == [after]
        )

    def _all_ended(self) -> bool:
        rows = {row["name"]: row["outcome"] for row in self._stack.runs()}
        return all(rows.get(cell.run) for cell in self._cells)

    def _missed(self, cell: Cell) -> list[str]:
        met = cell.point.startswith("nap") or strikes.reached(
            self._folder, cell.struck_at, cell.run
        )
        return [] if met else ["was never struck"]


def _data(cell: Cell) -> tuple[bytes, bytes]:
    """The training and the validation file of a cell's run."""
    return a_training_set(cell.run), a_training_set(f"{cell.run}-validation", 10)


# How many things of each kind the stand-in still has of a run, by its id and the ids of its jobs.
LEFT: dict[str, Callable[[dict[str, Any], str, list[str]], int]] = {
    "deployment": lambda state, run, _jobs: sum(d["name"] == run for d in state["deployments"]),
    "job": lambda state, _run, jobs: sum(
        job["id"] in jobs and job["status"] not in ENDED for job in state["jobs"]
    ),
    "file": lambda state, run, _jobs: sum(run in file["filename"] for file in state["files"]),
}


@dataclass(frozen=True)
class Seen:
    """What the stand-in and the storage have seen, once all runs of a wave have ended."""

    entries: list[dict[str, Any]]
    state: dict[str, Any]
    runs: list[dict[str, Any]]
    reports: list[str]

    @classmethod
    def of(cls, stack: Stack) -> "Seen":
        """As it is now."""
        reports = BlobServiceClient.from_connection_string(stack.storage).get_container_client(
            "reports"
        )
        entries = stack.control("GET", "ledger")["entries"]
        return cls(
            entries,
            stack.control("GET", "state"),
            stack.runs(),
            [str(name) for name in reports.list_blob_names()],
        )

    def wrong(self, stack: Stack, cell: Cell) -> list[str]:
        """What is not as it must be at the end of the cell's run."""
        name, outcome, bought = cell.run, cell.outcome, cell.outcome == ENDS[cell.scenario]
        rows = [row for row in self.runs if row["name"] == name]
        if len(rows) != 1:
            return [f"{len(rows)} runs"]
        run = rows[0]["id"]
        jobs = [
            e["id"]
            for e in self._done("fine_tuning.jobs.create")
            if e["request"]["body"].get("suffix") == run
        ]
        counts = {
            "training files": self._uploads(run, "training"),
            "validation files": self._uploads(run, "validation"),
            "jobs": len(jobs),
            "training charges": sum(e["id"] in jobs for e in self._done("fine_tuning.jobs.billed")),
            "deployments made": self._made(run),
            "reports": sum(blob == f"{name}/{run}/report.html" for blob in self.reports),
        }
        stands, trains = int(outcome == "succeeded"), int(cell.scenario != "reusing")
        wanted: dict[str, Callable[[int], bool]] = {
            "training files": lambda n: n == trains,
            "validation files": lambda n: n == trains,
            "jobs": lambda n: n == trains if bought else n <= 1,
            "training charges": lambda n: n == len(jobs),
            "deployments made": lambda n: n == 1 if stands else n <= 1,
            "reports": lambda n: n == 1,
        }
        found = [f"{count} {what}" for what, count in counts.items() if not wanted[what](count)]
        for kind in effect_kinds.EFFECTS:
            left = LEFT[kind.kind](self.state, run, jobs)
            if left != int(stands and kind.after_success == "stays"):
                found.append(f"{left} {kind.label}s left")
        if rows[0]["outcome"] != outcome:
            found.append(f"outcome {rows[0]['outcome']} instead of {outcome}")
        elif counts["reports"] and (told := self._reported(stack, name, run)) != outcome:
            found.append(f"the report says {told}")
        return [*found, *self._heard(run)] if found else []

    def _heard(self, run: str) -> list[str]:
        """What the stand-in heard of the run, for whoever looks for the reason."""
        return [
            f"{e['at']:.2f} {e['operation']} {e['status']}"
            for e in self.entries
            if run in json.dumps([e["id"], e["request"]])
        ]

    def unowned(self) -> list[str]:
        """Deployments that no successful run has."""
        owners = {row["id"] for row in self.runs if row["outcome"] == "succeeded"}
        return [found["name"] for found in self.state["deployments"] if found["name"] not in owners]

    def _done(self, operation: str) -> list[dict[str, Any]]:
        return [e for e in self.entries if e["operation"] == operation and e["committed"]]

    def _uploads(self, run: str, role: str) -> int:
        names = [e["request"]["filename"] for e in self._done("files.create")]
        return sum(name.startswith(run) and name.endswith(f"{role}_set.jsonl") for name in names)

    def _made(self, run: str) -> int:
        """PUTs that made the deployment; the same PUT again changes nothing."""
        return sum(
            e["id"] == run and e["status"] == 201
            for e in self._done("deployments.create_or_update")
        )

    def _reported(self, stack: Stack, name: str, run: str) -> str:
        service = BlobServiceClient.from_connection_string(stack.storage)
        told = json.loads(
            service.get_blob_client("reports", f"{name}/{run}/report.json")
            .download_blob()
            .readall()
        )
        return str(told["outcome"])
