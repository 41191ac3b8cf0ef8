"""Limits of the service, as a table that can be changed; checked by the modules that they bind."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any


# Source, unless said otherwise: Azure OpenAI quotas and limits page, February 2026 (read again in
# September).
@dataclass(frozen=True, slots=True)
class Limits:
    """What one resource allows. Change one with `--limit name=value` or `PUT /_tunedrop/limits`."""

    file_max_bytes: int = 512 * 2**20
    """Size of one multipart upload."""
    files_max_bytes: int = 2**30
    """All fine-tuning files of the resource together."""
    files_max: int = 100
    """Number of fine-tuning files of the resource."""
    uploads_per_second: int = 30
    """Upload requests of the resource within one second."""
    jobs_max: int = 100
    """Jobs of the resource in all, ended ones included: older ones have to be deleted."""
    jobs_queued_max: int = 20
    """Jobs that wait."""
    jobs_running_max: int = 3
    """Standard and global jobs that run at once."""
    developer_jobs_running_max: int = 5
    """Developer-tier jobs that run at once."""
    job_tokens_max: int = 2_000_000_000
    """Tokens of the training file times epochs."""
    examples_min: int = 10
    """Examples of a training file (fine-tuning guide)."""
    suffix_max_chars: int = 40
    """Characters of a job's suffix (2024-10-21 description)."""
    fine_tuned_deployments_max: int = 10
    """Deployments of fine-tuned models per resource."""
    deployments_max: int = 32
    """Standard deployments per resource, base and fine-tuned together."""
    deployment_name_max_chars: int = 64
    """Characters of a deployment's name."""
    quota_units: int = 5_000
    """Capacity units of each usage name, in thousands of tokens a minute; seen for gpt-4.1-mini in
    2026.
    """
    fine_tuned_quota_units: int = 500
    """The same of each usage name of fine-tuned models; seen for gpt-4.1-mini in 2026."""
    chat_messages_max: int = 2_048
    """Messages of one chat request."""
    chat_message_max_chars: int = 1_048_576
    """Characters of one chat message."""

    def to_json(self) -> dict[str, int]:
        """Every limit by its name."""
        return asdict(self)


def changed(limits: Limits, values: dict[str, Any]) -> Limits:
    """The limits with some replaced; raises ValueError for an unknown name or a wrong value."""
    known = {field.name for field in fields(Limits)}
    for name, value in values.items():
        if name not in known:
            msg = f"Limits are {', '.join(sorted(known))}."
            raise ValueError(msg)
        # A bool is an int in Python, but no limit.
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            msg = f"The limit {name} is a whole number from 0 up."
            raise ValueError(msg)
    return replace(limits, **values)
