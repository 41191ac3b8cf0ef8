"""The training: one job, created once and polled for as long as it takes, in a history that does not grow."""

from typing import Any

import azure.durable_functions as df
from durabletask import task

from orchestrators.names import TRIGGER, Activity
from orchestrators.steps import Steps, Story
from shared.models.base import wire
from shared.models.messages import Answer, StartRun
from shared.models.record import JobProgress, Step

bp = df.Blueprint()


@bp.orchestration_trigger(context_name=TRIGGER)
def train(context: task.OrchestrationContext, given: dict[str, Any]) -> Steps[dict[str, Any] | None]:
    """Creates the job, then looks at it once a turn; each turn forgets the one before."""
    story = Story(context, StartRun.model_validate(given))
    # create_job has no retry policy: it costs money, and answers "wait" where it must be asked again.
    answer = Answer.model_validate({"kind": "done"})
    if not given.get("created"):
        answer = yield from story.call(Activity.CREATE_JOB, retried=False)
    created = answer.kind == "done"
    if created:
        answer = yield from story.call(Activity.JOB_STATUS)
        story.show(Step.TRAIN, JobProgress.model_validate(answer.value.get("progress", {})))
    if answer.kind != "wait":
        return wire(answer)
    yield from story.sleep(answer.wait_s)
    context.continue_as_new({**given, "created": created})
    return None
