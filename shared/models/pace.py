"""How long a run waits for what: one value, passed in, so that no test sleeps and no clock is read
in two places.
"""

from shared.models.base import Frozen


class Pace(Frozen):
    """Waits and deadlines of a run. All in seconds."""

    settle_s: float = 5
    """Quiet time that a drop folder needs before its run begins."""
    companion_s: float = 3600
    """How long a run waits for the validation file that job.json announces."""
    poll_first_s: float = 15
    """The shortest wait between two polls of a job or a deployment."""
    poll_most_s: float = 300
    """The longest wait between two polls."""
    poll_growth: float = 0.1
    """A wait is this share of the time waited so far, within the two bounds above."""
    brief_s: float = 15
    """Wait after a busy answer, and between two tries of the smoke test."""
    retry_first_s: float = 5
    """The first wait of the engine before it repeats an activity that raised; each next one is
    twice as long.
    """
    retry_most_s: float = 300
    """The longest of these waits."""
    call_s: float = 60
    """The time that one creating call may take, from the intent in the ledger to its end."""
    upload_s: float = 900
    """The same for the upload of a file: 512 MB at 0.6 MB/s."""
    list_lag_s: float = 150
    """How long after a creating call of unknown outcome a listing may still hide what it made."""
    gate_deadline_s: float = 7 * 24 * 3600
    """How long a run may wait in the gate for the limits of all runs together to leave it room."""
    file_deadline_s: float = 3600
    """How long the service may take to process an uploaded file."""
    job_deadline_s: float = 722 * 3600
    """How long a job may take: the service's own limit of 720 h (quotas page, "Max job time"), and
    some.
    """
    nameless_s: float = 600
    """How long a job that has succeeded may name no model."""
    deployment_deadline_s: float = 3600
    first_answer_s: float = 15
    """Wait between a deployment's success and the first question: a fresh one answers
    DeploymentNotFound for a moment.
    """
    smoke_deadline_s: float = 600
    """How long a new deployment may answer DeploymentNotFound (API reference: within five minutes,
    seen longer).
    """
    take_back_s: float = 2 * 3600
    """How long the end of a run tries to take back what the service won't let go, for example while
    another write is under way. What a deployment costs meanwhile is in the run's worst case; after
    that the sweep tries on.
    """

    @property
    def run_deadline_s(self) -> float:
        """The longest that a run can hold its content, by its other deadlines."""
        return (
            self.gate_deadline_s
            + self.file_deadline_s
            + self.job_deadline_s
            + self.deployment_deadline_s
            + self.smoke_deadline_s
        )

    def next_poll_s(self, waited_s: float) -> float:
        """The wait before the next poll, after `waited_s` seconds of waiting in all."""
        return min(max(waited_s * self.poll_growth, self.poll_first_s), self.poll_most_s)


AZURE = Pace()
LOCAL = Pace(
    settle_s=1,
    companion_s=60,
    poll_first_s=0.5,
    poll_most_s=3,
    brief_s=0.5,
    retry_first_s=0.5,
    retry_most_s=5,
    call_s=10,
    upload_s=30,
    list_lag_s=3,
    gate_deadline_s=3600,
    file_deadline_s=60,
    job_deadline_s=3600,
    nameless_s=30,
    deployment_deadline_s=300,
    first_answer_s=1.5,
    smoke_deadline_s=60,
    take_back_s=600,
)
PACES = {"azure": AZURE, "local": LOCAL}
