"""The gate: nothing is bought before it is through; it waits for as long as it takes, in a history
that does not grow.
"""

from typing import Any

import azure.durable_functions as df
from durabletask import task

from orchestrators.names import TRIGGER, Activity
from orchestrators.steps import Steps, Story
from shared.models.answers import Booked
from shared.models.base import wire
from shared.models.messages import Answer, GateState
from shared.models.record import Step

bp = df.Blueprint()
PARTS = (Activity.CLAIM_CONTENT, Activity.PREFLIGHT, Activity.RESERVE)


@bp.orchestration_trigger(context_name=TRIGGER)
def gate(context: task.OrchestrationContext, given: dict[str, Any]) -> Steps[dict[str, Any] | None]:
    """Passes the parts in their order, or answers the first that says no."""
    state = GateState.model_validate(given)
    story, passed = Story(context, state), state.passed
    story.show(Step.GATE, because=state.because)
    answer = yield from story.call(PARTS[passed])
    while answer.kind == "done" and passed < len(PARTS) - 1:
        passed += 1
        answer = yield from story.call(PARTS[passed])
    answer = yield from asked_again(story, answer)
    if answer.kind == "wait":
        story.show(Step.GATE, because=answer.because)
        yield from story.sleep(answer.wait_s)
        # After each wait it forgets, and asks the same part again.
        context.continue_as_new({**given, "passed": passed, "because": answer.because})
        return None
    return wire(answer)


def asked_again(story: Story, answer: Answer) -> Steps[Answer]:
    """The answer, or the preflight's where the run has waited long."""
    # What the account said before a long wait is old: it is asked once more.
    if answer.kind == "done" and answer.tells(Booked).waited_s > story.start.pace.poll_most_s:
        return (yield from story.call(Activity.PREFLIGHT))
    return answer
