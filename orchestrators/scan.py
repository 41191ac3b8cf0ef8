"""The scan: one activity per span of bytes, all at once, then one that joins them exactly."""

from typing import Any

import azure.durable_functions as df
from durabletask import task

from orchestrators.names import TRIGGER, Activity
from orchestrators.steps import Steps, Story, patient, waits_between
from shared.models.base import wire
from shared.models.messages import Answer, ScanSpan, ScanStart

bp = df.Blueprint()
AT_ONCE = 64  # spans in flight: bounds the history of one turn and the queue, not the parallelism


@bp.orchestration_trigger(context_name=TRIGGER)
def scan(context: task.OrchestrationContext, given: dict[str, Any]) -> Steps[dict[str, Any]]:
    """Fans out over the spans of all files and answers what merge_scan says."""
    start = ScanStart.model_validate(given)
    story, spans = Story(context, start), spans_of(start)
    for first in range(0, len(spans), AT_ONCE):
        answers = yield from scanned(story, spans[first : first + AT_ONCE])
        if stopped := next((answer for answer in answers if answer.kind != "done"), None):
            return wire(stopped)
    merged = yield from story.call(Activity.MERGE_SCAN)
    return wire(merged)


def scanned(story: Story, spans: list[ScanSpan]) -> Steps[list[Answer]]:
    """The answers of these spans."""
    policy = None if story.retries_itself else patient(story.start.pace)
    waits = waits_between(story.start.pace) if story.retries_itself else []
    answers: list[Answer] = []
    while True:
        calls: list[task.Task[Any]] = [
            story.context.call_activity(
                Activity.SCAN_RANGE.value, input=wire(span), retry_policy=policy
            )
            for span in spans
        ]
        try:
            return answers + [
                Answer.model_validate(answer) for answer in (yield task.when_all(calls))
            ]
        except task.TaskFailedError:
            answers += [
                Answer.model_validate(call.get_result()) for call in calls if not call.is_failed
            ]
            if not waits:
                raise
            # One that raised is tried again alone, as Story.call does it, but not where another one
            # says stop.
            if any(answer.kind != "done" for answer in answers):
                return answers
        spans = [span for span, call in zip(spans, calls, strict=True) if call.is_failed]
        yield from story.sleep(waits.pop(0))


def spans_of(start: ScanStart) -> list[ScanSpan]:
    """The spans of every file, in order; an empty file has one empty span."""
    return [
        ScanSpan(
            run_id=start.run_id,
            pace=start.pace,
            role=role,
            index=index,
            start=first,
            stop=min(first + start.span_bytes, file.bytes),
        )
        for role, file in sorted(start.files.items())
        for index, first in enumerate(range(0, max(file.bytes, 1), start.span_bytes))
    ]
