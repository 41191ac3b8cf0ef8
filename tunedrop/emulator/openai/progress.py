"""The way of a job: which events come due between two points of it."""

from dataclasses import dataclass

from tunedrop.emulator.store import Doc

ENDED = ("succeeded", "failed", "cancelled")
RUNNING_AT = 0.15
TRAINING_AT = 0.20
TRAINED_AT = 0.70
SUCCEEDED_AT = 0.75
MODEL_CHECKED_AT = 0.94
# About so many metrics events a job tells at most.
METRICS_MAX = 200


@dataclass(frozen=True, slots=True)
class Due:
    """One event and the point of the way at which it comes."""

    at: float
    message: str
    data: Doc | None = None


def due(doc: Doc, curve: list[Doc], told: float, way: float) -> list[Due]:
    """The events after `told` up to `way`, in their order."""
    # Texts are to the letter those of published jobs, full stop included; the preprocessing and
    # start events are not found in a source and follow OpenAI's. Results and billing come with the
    # end, not from here.
    planned = [
        Due(RUNNING_AT, "Job started."),
        Due(0.16, "Preprocessing started."),
        Due(0.18, "Preprocessing completed for file training file."),
        *(
            [Due(0.19, "Preprocessing completed for file validation file.")]
            if doc["validation_file"]
            else []
        ),
        Due(TRAINING_AT + 1e-6, "Training started."),
        *_metrics(curve),
        Due(SUCCEEDED_AT, "Job succeeded."),
        Due(MODEL_CHECKED_AT + 1e-6, "Model Evaluation Passed."),
    ]
    return [event for event in planned if told < event.at <= way]


def _metrics(curve: list[Doc]) -> list[Due]:
    """One event every ten steps and at each epoch's end (it alone carries full_valid_*), thinned
    where they would be many.
    """
    every = 10 * max(1, len(curve) // (10 * METRICS_MAX)) if len(curve) >= 10 else 1
    told = [
        step
        for step in curve
        if step["step"] % every == 0 or step["step"] == len(curve) or "full_valid_loss" in step
    ]
    span = TRAINED_AT - TRAINING_AT - 4e-6
    return [
        Due(
            TRAINING_AT + 2e-6 + span * step["step"] / len(curve),
            f"Step {step['step']}: training loss={step['train_loss']}",
            step,
        )
        for step in told
    ]
