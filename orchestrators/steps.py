"""The thin seam to the durable engine: call an activity, wait, and give up in one way.

Orchestrators use only what stands here: activities, timers, one external event, sub-orchestrations
and continue_as_new. Correctness rests on the ledger, not on the engine.
"""

from collections.abc import Generator
from datetime import timedelta
from typing import Any, cast

from durabletask import task

from orchestrators.names import WAKE, Activity, Orchestrator, instance_of
from shared.errors import Problem
from shared.models.base import wire
from shared.models.messages import Answer, FileStep, RunStep, StartRun
from shared.models.pace import Pace
from shared.models.plan import Role
from shared.models.progress import Progress, progress_of
from shared.models.record import JobProgress, Outcome, Step

type Steps[T] = Generator[task.Task[Any], Any, T]

# The version whose stories wait between tries themselves.
OWN_RETRIES_SINCE = 2
PATIENT_ATTEMPTS = 11  # at the pace of Azure 5, 10, 20 … 300 s: about 25 min


def patient(pace: Pace) -> task.RetryPolicy:
    """The one retry policy, for activities that raised "try me again"."""
    # No retry_timeout: it would read the wall clock in a replay.
    return task.RetryPolicy(
        first_retry_interval=timedelta(seconds=pace.retry_first_s),
        max_number_of_attempts=PATIENT_ATTEMPTS,
        backoff_coefficient=2,
        max_retry_interval=timedelta(seconds=pace.retry_most_s),
    )


def waits_between(pace: Pace) -> list[float]:
    """The waits of that policy, in seconds, for instances whose story tries again itself."""
    return [
        min(pace.retry_first_s * 2**tried, pace.retry_most_s)
        for tried in range(PATIENT_ATTEMPTS - 1)
    ]


class StoryEnded(Exception):
    """The story stops here; raised and caught inside one orchestration, so it replays the same."""

    def __init__(
        self, outcome: Outcome, problem: Problem | None = None, duplicate_of: str | None = None
    ) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome
        self.problem = problem
        self.duplicate_of = duplicate_of


class Story:
    """One orchestration of a run: its context, its input, and the wake-up it listens for."""

    def __init__(self, context: task.OrchestrationContext, start: StartRun) -> None:
        self.context = context
        self.start = start
        # One listening task for the whole orchestration: an abandoned one would swallow the next
        # event.
        self._wake = context.wait_for_external_event(WAKE)

    def request(self) -> RunStep:
        """What most activities are given."""
        return RunStep(run_id=self.start.run_id, pace=self.start.pace)

    def file_request(self, role: Role) -> FileStep:
        """What the activities of one file are given."""
        return FileStep(run_id=self.start.run_id, pace=self.start.pace, role=role)

    def show(self, step: Step, job: JobProgress | None = None, because: str | None = None) -> None:
        """Sets the custom status."""
        status: Progress = progress_of(step, job, because)
        self.context.set_custom_status(wire(status))

    def call(
        self, activity: Activity, request: RunStep | None = None, *, retried: bool = True
    ) -> Steps[Answer]:
        """One call, its answer whatever it says. Raises TaskFailedError where the patience is used
        up.
        """
        given = wire(request or self.request())
        waits = waits_between(self.start.pace) if retried and self.retries_itself else []
        policy = patient(self.start.pace) if retried and not self.retries_itself else None
        while True:
            try:
                answer = yield self.context.call_activity(
                    activity.value, input=given, retry_policy=policy
                )
                return Answer.model_validate(answer)
            except task.TaskFailedError:
                if not waits:
                    raise
            # The story itself waits between two tries, so that a wake-up cuts that wait short too:
            # a cancelled run is told at once.
            yield from self.sleep(waits.pop(0))

    @property
    def retries_itself(self) -> bool:
        """Instances of version 1 have the engine's retries in their histories."""
        return self.start.version >= OWN_RETRIES_SINCE

    def done(self, activity: Activity, request: RunStep | None = None) -> Steps[Answer]:
        """Calls until the answer is "done", waiting between calls as the activity says.

        Raises:
            StoryEnded: the activity says that the story ends, or that the run was cancelled.
        """
        while True:
            answer = yield from self.call(activity, request)
            if answer.kind != "wait":
                return go_on(answer)
            yield from self.sleep(answer.wait_s)

    def sleep(self, seconds: float) -> Steps[None]:
        """A durable timer that the wake-up cuts short."""
        timer = self.context.create_timer(timedelta(seconds=seconds))
        winner = yield task.when_any(cast("list[task.Task[Any]]", [timer, self._wake]))
        if winner is not timer:
            # A timer that isn't cancelled keeps the instance running until it fires.
            timer.cancel()
            self._wake = self.context.wait_for_external_event(WAKE)

    def call_orchestrator(self, orchestrator: Orchestrator, given: StartRun) -> Steps[Answer]:
        """A sub-orchestration of this run, to its answer."""
        answer = yield self.context.call_sub_orchestrator(
            orchestrator.value,
            input=wire(given),
            instance_id=instance_of(self.context.instance_id, orchestrator),
        )
        return go_on(Answer.model_validate(answer))


def go_on(answer: Answer) -> Answer:
    """The answer, if it says "done".

    Raises:
        StoryEnded: it says that the story ends.
    """
    if answer.kind == "ended":
        raise StoryEnded(answer.outcome, answer.problem, answer.duplicate_of)
    if answer.kind == "cancelled":
        raise StoryEnded(Outcome.CANCELLED)
    return answer
