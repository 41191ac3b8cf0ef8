"""The training: one job, created once and polled for as long as it takes, in a history that does
not grow.
"""

from typing import Any

import azure.durable_functions as df
from durabletask import task

from orchestrators.names import TRIGGER, Activity
from orchestrators.steps import Steps, Story
from shared.models.answers import JobSeen
from shared.models.base import wire
from shared.models.messages import TrainState, done
from shared.models.record import Step

bp = df.Blueprint()


@bp.orchestration_trigger(context_name=TRIGGER)
def train(
    context: task.OrchestrationContext, given: dict[str, Any]
) -> Steps[dict[str, Any] | None]:
    """Creates the job, then looks at it once a turn; each turn forgets the one before."""
    state = TrainState.model_validate(given)
    story = Story(context, state)
    # create_job has no retry policy: it costs money, and answers "wait" where it must be asked
    # again.
    answer = done()
    if not state.created:
        answer = yield from story.call(Activity.CREATE_JOB, retried=False)
    created = answer.kind == "done"
    if created:
        answer = yield from story.call(Activity.JOB_STATUS)
        story.show(Step.TRAIN, answer.tells(JobSeen).progress)
    if answer.kind != "wait":
        return wire(answer)
    yield from story.sleep(answer.wait_s)
    context.continue_as_new({**given, "created": created})
    return None
