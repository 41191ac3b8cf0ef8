"""The custom status of an orchestration: one small model."""

from shared.models.base import Frozen
from shared.models.record import PERCENTAGES, JobProgress, Step


class Progress(Frozen):
    """Where a run stands, for whoever watches the durable instance."""

    step: Step
    percentage: int
    last_event: str | None = None
    train_loss: float | None = None
    valid_loss: float | None = None
    waits_because: str | None = None


def progress_of(step: Step, job: JobProgress | None = None, because: str | None = None) -> Progress:
    """The progress at this step, with the job's last event and losses and what it waits for."""
    heard = job or JobProgress()
    return Progress(
        step=step,
        percentage=PERCENTAGES[step],
        last_event=heard.last_event,
        train_loss=heard.train_loss,
        valid_loss=heard.valid_loss,
        waits_because=because,
    )
