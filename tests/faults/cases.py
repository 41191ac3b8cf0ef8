"""Runs that meet a fault of the service: planned for one run each, started together, looked at one
by one.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.models.pace import Pace
from shared.models.record import RunRecord
from tests.data import a_training_set
from tests.faults.rig import PACE, Rig


@dataclass(frozen=True)
class Case:
    """What befalls a run, and how it must end."""

    faults: list[dict[str, Any]]
    outcome: str = "succeeded"
    says: str = ""
    """What the problem's message must hold, as a pattern."""
    jobs: int = 1
    pace: Mapping[str, float] = field(default_factory=dict[str, float])
    """What differs from the rig's pace."""
    left: int = 1
    """How many things the service still holds of the run: its deployment."""


@dataclass(frozen=True)
class Ended:
    """A run at its end, and what the service has of it."""

    record: RunRecord
    jobs: list[dict[str, Any]]
    calls: dict[str, int]
    left: list[str]
    report: str

    def wrong(self, case: Case) -> dict[str, Any]:
        """What is not as the case wants it."""
        problem = (
            self.record.ending.problem.message
            if self.record.ending and self.record.ending.problem
            else ""
        )
        found: dict[str, tuple[Any, bool]] = {
            "outcome": (self.record.outcome, self.record.outcome == case.outcome),
            "problem": (problem, bool(re.search(case.says, problem))),
            "jobs": (len(self.jobs), len(self.jobs) == case.jobs),
            "uploads": (self.calls["files.create"], self.calls["files.create"] <= 1),
            "deployments made": (
                self.calls["deployments.create_or_update"],
                self.calls["deployments.create_or_update"] <= 1,
            ),
            "jobs under way": (
                self.jobs,
                all(
                    job["status"] in {"succeeded", "failed", "cancelled", "deleted"}
                    for job in self.jobs
                ),
            ),
            "left": (
                self.left,
                len(self.left) == (case.left if case.outcome == "succeeded" else 0),
            ),
            "report": (
                self.report[:200],
                f'"outcome": "{case.outcome}"' in self.report
                or f'"outcome":"{case.outcome}"' in self.report,
            ),
        }
        return {name: value for name, (value, holds) in found.items() if not holds}


def answer(status: int, code: str = "serviceUnavailable", **more: Any) -> dict[str, Any]:
    """An error answer of the service."""
    return {"status": status, "code": code, "message": "The stand-in was told so.", **more}


def always(on: str, then: Any) -> list[dict[str, Any]]:
    """One fault that never ends."""
    return [{"on": on, "then": then, "times": None}]


def often(on: str, then: Any, times: int) -> list[dict[str, Any]]:
    """One fault, so many times."""
    return [{"on": on, "then": then, "times": times}]


class Runs:
    """Runs under way, one a case."""

    def __init__(self, rig: Rig, cases: Mapping[str, Case], wanted: set[str]) -> None:
        self._rig = rig
        self._ids: dict[str, str] = {}
        for name in wanted & set(cases):
            self._ids[name] = self._started(cases[name])

    def ended(self, name: str) -> Ended:
        """The run of a case, once it has ended."""
        rig, run = self._rig, self._ids[name]
        record = rig.ended(run, 150)
        creating = ("files.create", "deployments.create_or_update")
        calls = {
            operation: sum(e["status"] != 200 for e in rig.asked(operation, run))
            for operation in creating
        }
        return Ended(record, rig.jobs(run), calls, rig.left(run), rig.reported(record))

    def _started(self, case: Case) -> str:
        name = f"c{secrets.token_hex(5)}"
        drop = self._rig.put(name, a_training_set(name))
        for fault in case.faults:
            self._rig.control("POST", "faults", {"about": drop.run_id} | fault)
        return self._rig.start(drop, Pace.model_validate({**PACE.model_dump(), **case.pace}))


def chosen(request: pytest.FixtureRequest) -> set[str]:
    """The cases of this module that this session runs."""
    items: list[Any] = [
        item for item in request.session.items if item.nodeid.startswith(request.node.nodeid)
    ]
    return {
        item.callspec.params["case"]
        for item in items
        if hasattr(item, "callspec") and "case" in item.callspec.params
    }
