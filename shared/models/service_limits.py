"""Limits of the service, as of October 2026: defaults that the setting TUNEDROP_LIMITS can replace
one by one.
"""

from shared.models.base import Frozen


class ServiceLimits(Frozen):
    """What one Azure OpenAI resource holds (quotas and limits page)."""

    files: int = 100
    """Fine-tuning files per resource."""
    jobs: int = 100
    """Fine-tuning jobs in all per resource; older ones must be deleted."""
    fine_tuned_deployments: int = 10
    """Deployments of fine-tuned models; older pages say 5."""
    deployments: int = 32
    """Standard deployments in all."""
