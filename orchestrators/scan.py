"""The scan: one activity per span of bytes, all at once, then one that joins them exactly."""

from typing import Any

import azure.durable_functions as df
from durabletask import task

from orchestrators.names import TRIGGER, Activity
from orchestrators.steps import Steps, patient
from shared.models.base import wire
from shared.models.messages import Answer, RunStep, ScanSpan

bp = df.Blueprint()
AT_ONCE = 64  # spans in flight: bounds the history of one turn and the queue, not the parallelism


@bp.orchestration_trigger(context_name=TRIGGER)
def scan(context: task.OrchestrationContext, given: dict[str, Any]) -> Steps[dict[str, Any]]:
    """Fans out over the spans of all files and answers what merge_scan says."""
    request = RunStep.model_validate(given)
    spans = [wire(span) for span in spans_of(request, given["files"], given["span_bytes"])]
    for first in range(0, len(spans), AT_ONCE):
        calls: list[task.Task[Any]] = [
            context.call_activity(Activity.SCAN_RANGE.value, input=s, retry_policy=patient(request.pace))
            for s in spans[first : first + AT_ONCE]
        ]
        answers = yield task.when_all(calls)
        if stopped := next((a for a in answers if a["kind"] != "done"), None):
            return stopped
    merged = yield context.call_activity(Activity.MERGE_SCAN.value, input=wire(request), retry_policy=patient(request.pace))
    return wire(Answer.model_validate(merged))


def spans_of(request: RunStep, files: dict[str, dict[str, int]], span_bytes: int) -> list[ScanSpan]:
    """The spans of every file, in order; an empty file has one empty span."""
    return [
        ScanSpan.model_validate(
            {
                "run_id": request.run_id,
                "pace": request.pace,
                "role": role,
                "index": index,
                "start": start,
                "stop": min(start + span_bytes, size),
            }
        )
        for role, facts in sorted(files.items())
        for size in (facts["bytes"],)
        for index, start in enumerate(range(0, max(size, 1), span_bytes))
    ]
