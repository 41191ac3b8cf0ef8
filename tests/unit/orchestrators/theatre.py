"""The three orchestrators on the real engine, with activities that only say what the test has them
say.
"""

import threading
import uuid
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, get_args

from durabletask import task
from durabletask.client import OrchestrationState, TaskHubGrpcClient
from durabletask.worker import ConcurrencyOptions, TaskHubGrpcWorker

from orchestrators import gate, run, scan, train
from orchestrators.names import VERSION, Activity, Orchestrator
from shared.models.answers import EndingDecided
from shared.models.base import wire
from shared.models.effect_kinds import to_take_back
from shared.models.messages import Answer, StartRun, done, wait
from shared.models.pace import Pace
from shared.models.plan import Role
from shared.models.record import Outcome
from tests.builders import done_with
from tests.patience import patience
from tunedrop.host.engine import Engine
from tunedrop.host.worker import LOOPBACK

PACE = Pace(
    settle_s=0,
    poll_first_s=0.001,
    poll_most_s=0.001,
    retry_first_s=0.01,
    retry_most_s=0.02,
    first_answer_s=0,
    brief_s=0.01,
)
SOON = wait(0.001)
FILES = {"files": {"training": {"bytes": 10}, "validation": {"bytes": 5}}, "span_bytes": 100}
# What a good run's activities say, where it is more than "done".
GOOD: dict[str, Answer] = {Activity.MAKE_PLAN: done_with(**FILES)}

type Said = Answer | Exception
type Line = Said | Callable[[dict[str, Any]], Said]


@dataclass
class Play:
    """One run: what its activities say, the last line for ever, and who was called with what."""

    lines: dict[str, list[Line]]
    calls: list[tuple[str, dict[str, Any]]] = field(
        default_factory=list[tuple[str, dict[str, Any]]]
    )
    run_id: str = field(default_factory=lambda: f"travel-{uuid.uuid4().hex[:8]}")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def called(self) -> list[str]:
        """The names of the activities in the order of their calls; files with their role."""
        return [
            f"{name}:{given['role']}" if "role" in given and name != "scan_range" else name
            for name, given in self.calls
        ]

    def given(self, activity: Activity) -> list[dict[str, Any]]:
        """What each call of this activity was given."""
        return [given for name, given in self.calls if name == activity]

    def say(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """The next line of this activity."""
        with self._lock:
            self.calls.append((name, given))
            lines = self.lines.get(name) or [_by_default(name, given)]
            line = lines[min(sum(1 for called, _ in self.calls if called == name), len(lines)) - 1]
        said = line(given) if callable(line) else line
        if isinstance(said, Exception):
            raise said
        return wire(said)


def _by_default(name: str, given: dict[str, Any]) -> Answer:
    if name == Activity.BEGIN_ENDING:
        outcome, roles = Outcome(given["outcome"]), get_args(Role)
        undoing = to_take_back(outcome, roles)
        return done(EndingDecided(outcome=outcome, roles=roles, take_back=undoing))
    return GOOD.get(name, done())


class Theatre:
    """An engine and a worker for all plays of a test session."""

    def __init__(self, engine: Engine) -> None:
        address = engine.start()
        self.hub = TaskHubGrpcClient(host_address=address, metadata=engine.metadata)
        self._plays: dict[str, Play] = {}
        self._worker = TaskHubGrpcWorker(
            host_address=address,
            metadata=engine.metadata,
            concurrency_options=ConcurrencyOptions(maximum_thread_pool_workers=8),
            resiliency_options=LOOPBACK,
            emit_trace_spans=False,
        )
        for blueprint in (run.run, scan.scan, gate.gate, train.train):
            self._worker.add_orchestrator(undecorated(blueprint))
        for activity in Activity:
            self._worker.add_activity(self._actor(activity.value))
        self._worker.start()

    def close(self) -> None:
        """Ends the worker."""
        self._worker.stop()
        self.hub.close()

    def _actor(self, name: str) -> Callable[[task.ActivityContext, dict[str, Any]], dict[str, Any]]:
        def act(_context: task.ActivityContext, given: dict[str, Any]) -> dict[str, Any]:
            return self._plays[given["run_id"]].say(name, given)

        act.__name__ = name
        return act

    def start(
        self,
        play: Play,
        orchestrator: Orchestrator = Orchestrator.RUN,
        pace: Pace = PACE,
        **given: Any,
    ) -> str:
        """Begins a play; the id of its instance is the run's."""
        self._plays[play.run_id] = play
        asked = {**wire(StartRun(run_id=play.run_id, pace=pace, version=VERSION)), **given}
        return self.hub.schedule_new_orchestration(
            orchestrator.value, input=asked, instance_id=play.run_id
        )

    def end(self, instance: str) -> OrchestrationState:
        """How it ended."""
        state = self.hub.wait_for_orchestration_completion(instance, timeout=patience(20))
        assert state is not None
        return state

    def play(
        self, play: Play, orchestrator: Orchestrator = Orchestrator.RUN, **given: Any
    ) -> OrchestrationState:
        """Begins a play and waits for its end."""
        return self.end(self.start(play, orchestrator, **given))

    def events(self, instance: str) -> int:
        """How long the history of an instance is at this moment."""
        return len(self.hub.get_orchestration_history(instance))


def a_play(**lines: Line | Sequence[Line]) -> Play:
    """A good run, but for what these activities say."""
    return Play(
        {
            name: [said] if isinstance(said, Answer | Exception) or callable(said) else list(said)
            for name, said in lines.items()
        }
    )


def undecorated(function: Any) -> Any:
    """The orchestrator itself, as the app's decorator keeps it on what it registers."""
    return function._function.get_user_function().orchestrator_function


@contextmanager
def opened() -> Generator[Theatre]:
    """A theatre on an engine of its own."""
    engine = Engine()
    theatre = Theatre(engine)
    try:
        yield theatre
    finally:
        theatre.close()
        engine.stop(0)
