"""One drop, from blob to proven deployment, or the reason why not."""

from typing import Any

import azure.durable_functions as df
from durabletask import task

from orchestrators.names import TRIGGER, Activity, Orchestrator
from orchestrators.steps import Steps, Story, StoryEnded
from shared.errors import InternalError, Problem
from shared.models.answers import Asked, EndingDecided, Opened, PlanMade
from shared.models.effect_kinds import TakeBack
from shared.models.messages import EndRun, ScanStart, StartRun
from shared.models.plan import Role
from shared.models.record import Outcome, Step

bp = df.Blueprint()
SECOND_JOBS_SINCE = 2  # the version whose successes cancel a second job too; their own stays

CALLS_THE_NEXT_SINCE = 3  # the version whose end calls who waits for its place


@bp.orchestration_trigger(context_name=TRIGGER)
def run(context: task.OrchestrationContext, given: dict[str, Any]) -> Steps[dict[str, Any]]:
    """Tells the story, then ends it: nothing is left behind that should not be."""
    story = Story(context, StartRun.model_validate(given))
    try:
        opened = (yield from story.done(Activity.OPEN_RUN)).tells(Opened)
        if opened.ended:
            if opened.unreported:
                yield from or_else_go_on(story.call(Activity.WRITE_REPORT))
            return {"run_id": story.start.run_id}
        yield from prove_a_model(story)
        end = StoryEnded(Outcome.SUCCEEDED)
    except StoryEnded as ended:
        end = ended
    except task.TaskFailedError as failure:
        end = StoryEnded(Outcome.FAILED, unexpected(failure))
    return (yield from end_the_run(story, end))


def prove_a_model(story: Story) -> Steps[None]:
    """The good story, straight down; every step that can't go on raises StoryEnded."""
    story.show(Step.SETTLE)
    yield from story.done(Activity.SETTLE_DROP)
    plan = (yield from story.done(Activity.MAKE_PLAN)).tells(PlanMade)
    if not plan.reuse:
        story.show(Step.SCAN)
        yield from story.call_orchestrator(
            Orchestrator.SCAN,
            ScanStart(**dict(story.start), files=plan.files, span_bytes=plan.span_bytes),
        )
    story.show(Step.GATE)
    passed = (yield from story.call_orchestrator(Orchestrator.GATE, story.start)).tells(Asked)
    if not passed.reuse:
        yield from train_a_model(story, sorted(plan.files))
    story.show(Step.DEPLOY)
    yield from story.done(Activity.DEPLOY)
    yield from story.done(Activity.DEPLOYMENT_STATUS)
    yield from story.sleep(story.start.pace.first_answer_s)
    story.show(Step.SMOKE_TEST)
    yield from story.done(Activity.SMOKE_TEST)


def train_a_model(story: Story, roles: list[Role]) -> Steps[None]:
    """Uploads the files and trains; a run that deploys a trained model has no need of it."""
    story.show(Step.UPLOAD)
    for role in roles:
        yield from story.done(Activity.UPLOAD_FILE, story.file_request(role))
    yield from story.done(Activity.FILE_STATUS)
    story.show(Step.TRAIN)
    yield from story.call_orchestrator(Orchestrator.TRAIN, story.start)


def end_the_run(story: Story, end: StoryEnded) -> Steps[dict[str, Any]]:
    """Decides the ending once, takes back what must not stay, writes the report, closes the
    record.
    """
    decision = EndRun(
        **dict(story.request()),
        outcome=end.outcome,
        problem=end.problem,
        duplicate_of=end.duplicate_of,
    )
    decided = yield from story.call(Activity.BEGIN_ENDING, decision)
    # The ledger can't be read: nothing is taken back without knowing what.
    if decided.kind != "done":
        return {"run_id": story.start.run_id, "outcome": decided.outcome.value}
    ending = decided.tells(EndingDecided)
    story.show(Step.CLEAN_UP)
    yield from or_else_go_on(story.call(Activity.COLLECT_RESULTS))
    for one in to_take_back(ending, story.start.version):
        yield from or_else_go_on(take_back(story, one))
    story.show(Step.REPORT)
    yield from or_else_go_on(story.call(Activity.WRITE_REPORT))
    yield from story.call(Activity.END_RUN)
    if story.start.version >= CALLS_THE_NEXT_SINCE:
        yield from or_else_go_on(story.call(Activity.GIVE_BACK))
    story.show(Step.ENDED)
    return {"run_id": story.start.run_id, "outcome": ending.outcome.value}


def to_take_back(ending: EndingDecided, version: int) -> tuple[TakeBack, ...]:
    """What this ending takes back, in its order."""
    if ending.take_back is not None:
        return ending.take_back
    # An ending that was decided before its answer held the list takes back what the stories of its
    # time did. That stands in their histories, so it follows no table of today.
    own = [TakeBack(activity=Activity.DELETE_DEPLOYMENT)] if ending.outcome.undoes else []
    if ending.outcome.undoes or version >= SECOND_JOBS_SINCE:
        own.append(TakeBack(activity=Activity.CANCEL_JOB))
    roles = sorted(ending.roles, reverse=True)
    return (*own, *(TakeBack(activity=Activity.DELETE_FILE, role=role) for role in roles))


def take_back(story: Story, one: TakeBack) -> Steps[None]:
    """Calls a compensation until it is through."""
    request = story.file_request(one.role) if one.role else story.request()
    while (answer := (yield from story.call(Activity(one.activity), request))).kind == "wait":
        yield from story.sleep(answer.wait_s)


def or_else_go_on(steps: Steps[Any]) -> Steps[None]:
    """Does these steps; their failure doesn't stop the ending."""
    try:
        yield from steps
    except task.TaskFailedError:
        # What stays behind is in the ledger, and the report lists it.
        return


def unexpected(failure: task.TaskFailedError) -> Problem:
    """A failure that outlasted the engine's patience, as a problem."""
    # Its message is ours, and holds no data.
    return InternalError(failure.details.message[:600]).problem
