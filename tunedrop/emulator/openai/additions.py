"""What the service is known to answer beyond its published descriptions: one list, each with its
source.
"""

from dataclasses import dataclass
from typing import Any

V1 = "v1"
API_VERSION = "api-version"

_NULL = {"type": "null"}
_LITELLM = (
    "BerriAI/litellm pull request 24687: pending and nulls in Azure's answers break strict models"
)
_RUN = "printed output of a gpt-4o-mini job on Azure OpenAI, May 2025"
_TUTORIAL = "Azure OpenAI fine-tuning tutorial, printed output: -1 while pending"
_DENIED = "microsoft/semantic-kernel issue 10020: the answer to a token without the role"
_CHAT = "Azure OpenAI chat completions reference: content filter results beside OpenAI's fields"


# The contract tests hold every answer against the descriptions plus this list and nothing else.
@dataclass(frozen=True, slots=True)
class Addition:
    """One property of a schema that may also hold what `allows` describes, or a new property."""

    surface: str
    schema: str
    name: str
    allows: dict[str, Any]
    source: str


ADDITIONS = (
    Addition(V1, "OpenAIFile", "status", {"enum": ["pending", "running"]}, _LITELLM),
    Addition(
        V1,
        "FineTuningJob",
        "status",
        {"enum": ["pending", "paused"]},
        _LITELLM + "; the word for a paused job is a switch",
    ),
    Addition(V1, "FineTuningJob", "result_files", _NULL, _RUN),
    Addition(V1, "FineTuningJob", "organization_id", _NULL, _RUN),
    Addition(V1, "FineTuningJob", "metadata", _NULL, _RUN),
    Addition(
        V1,
        "FineTuningJob",
        "hyperparameters",
        {"properties": {"n_epochs": {"const": -1}, "batch_size": {"const": -1}}},
        _TUTORIAL,
    ),
    Addition(
        V1,
        "FineTuneSupervisedMethod",
        "hyperparameters",
        {"properties": {"n_epochs": {"const": -1}, "batch_size": {"const": -1}}},
        _TUTORIAL,
    ),
    Addition(
        V1,
        "FineTuneDPOMethod",
        "hyperparameters",
        {"properties": {"n_epochs": {"const": -1}, "batch_size": {"const": -1}}},
        _TUTORIAL,
    ),
    Addition(V1, "CreateChatCompletionResponse", "prompt_filter_results", {"type": "array"}, _CHAT),
    Addition(V1, "CreateChatCompletionResponse", "system_fingerprint", _NULL, _CHAT),
    Addition(
        V1,
        "CreateChatCompletionResponse/choices",
        "content_filter_results",
        {"type": "object"},
        _CHAT,
    ),
    Addition(API_VERSION, "Error", "code", {"const": "PermissionDenied"}, _DENIED),
    Addition(
        V1,
        "Error",
        "innererror",
        {"type": "object"},
        "microsoft/azurechat issue 351: body of a filtered prompt",
    ),
    Addition(
        V1,
        "Error",
        "status",
        {"type": "integer"},
        "microsoft/azurechat issue 351: body of a filtered prompt",
    ),
)
