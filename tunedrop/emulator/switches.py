"""Switches: behaviour of the service that no source settles, each with the choice we made and why.

Nothing else in the stand-in decides such a question. Check these first on a live resource.
"""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args


@dataclass(frozen=True, slots=True)
class Switches:
    """Open questions, answered one way. Change one with `--switch name=value` or `PUT
    /_tunedrop/switches`.
    """

    entity_state_status: Literal[400, 409] = 409
    """HTTP status of unexpectedEntityState, e.g. a job whose file is not processed: the code is
    documented, the status is not.
    """
    v1_error_shape: Literal["openai", "azure"] = "openai"
    """Error bodies of the v1 surface: OpenAI's {code, message, param, type}, or the api-version
    surface's.
    """
    v1_create_status: Literal[200, 201] = 201
    """Status of a creation on v1: OpenAI's description says 200, the api-version surface's says
    201.
    """
    paused_status: Literal["paused", "pausing"] = "paused"
    """Spelling of a paused job's status: pausing is documented, the word is not."""
    training_type_required: bool = False
    """Refuse a job without trainingType with the misleading sentence that the model can't be
    fine-tuned (one field report).
    """
    keep_metadata: bool = False
    """Whether a v1 job's metadata is stored; answers were only ever seen with null."""
    keep_tags: bool = True
    """Whether a deployment's tags are stored and given back."""
    in_place_model_change: Literal["allowed", "refused"] = "refused"
    """PUT of another model on an existing deployment: documented for provisioned SKUs only;
    Terraform replaces, reports tell refusals.
    """
    too_many_deployments_status: Literal[400, 429] = 429
    """Status when the number of deployments is exhausted: a field note says 429."""
    sku_refused_code: Literal["InvalidResourceProperties", "DeploymentModelNotSupported"] = (
        "InvalidResourceProperties"
    )
    """Code of a SKU that the model does not support."""
    missing_deployment_code: Literal["DeploymentNotFound", "ResourceNotFound"] = (
        "DeploymentNotFound"
    )
    """Code of a GET on a deployment that does not exist."""
    not_ready_code: Literal["DeploymentNotFound", "DeploymentNotReady"] = "DeploymentNotFound"
    """Code on the data plane while a Succeeded deployment does not answer yet."""
    unknown_policy: Literal["refused", "taken"] = "refused"
    """PUT of a deployment with a content filter policy that the account doesn't have: no text of a
    refusal was found.
    """
    answered_model: Literal["deployed", "base"] = "deployed"
    """The `model` of a fine-tuned deployment's answer: its own model, or its base; no printed
    answer of one was found.
    """
    rate_limits: bool = False
    """Hold chat calls to the deployment's requests a minute; off, since one unit of capacity would
    starve every try-out.
    """
    client_retries: Literal["taken", "refused"] = "taken"
    """A creating call that its own client repeats (`x-stainless-retry-count` above 0): the service
    takes it, and bills it again.
    """
    trained_tokens_extra: float = 17
    """How many tokens more per example and epoch `trained_tokens` tells than are billed: one
    published job (6,720 beside 5,000).
    """
    list_lag_s: float = 0
    """How long lists leave out what is new, in seconds: nobody has measured the service's."""
    deprecating_models: Literal["refused", "taken"] = "refused"
    """A new deployment of a model that is deprecating: only a subscription that has had one may
    make another.
    """
    model_access: bool = True
    """Whether the subscription was given the models; without it a deployment ends in
    SpecialFeatureOrQuotaIdRequired.
    """
    missing_data_role_status: Literal[401, 403] = 401
    """Status of the data plane where no role of the caller has the data action: code
    PermissionDenied.
    """
    role_openai_contributor: bool = True
    """Whether the local identity has Cognitive Services OpenAI Contributor on the account."""
    role_usages_reader: bool = True
    """Whether it has Cognitive Services Usages Reader on the subscription."""
    role_openai_user: bool = False
    """Whether it has Cognitive Services OpenAI User on the account: it reads and chats."""
    role_contributor: bool = False
    """Whether it has Cognitive Services Contributor on the account: the management plane alone."""
    role_reader: bool = False
    """Whether it has Reader on the subscription: it may ask for its own permissions, too."""

    def to_json(self) -> dict[str, Any]:
        """Every switch by its name."""
        return asdict(self)


_ASSUMED = "assumed"
_ROLES = "catalogue of built-in roles, December 2024; given or not as docs/security.md says"
# What each switch's default rests on: a page, a public report, or nothing but our choice (assumed).
SOURCES: dict[str, str] = {
    "entity_state_status": f"code: 2024-10-21 description; status: {_ASSUMED}",
    "v1_error_shape": f"OpenAI's description of v1; for Azure {_ASSUMED}",
    "v1_create_status": f"2024-10-21 description, for v1 {_ASSUMED}",
    "paused_status": f"pausing: fine-tuning guide; the word: {_ASSUMED}",
    "training_type_required": "BerriAI/litellm pull request 24687",
    "keep_metadata": "printed output of a job, May 2025: null",
    "keep_tags": "2024-10-01 description of deployments",
    "in_place_model_change": "Azure-Samples/azure-search-openai-demo issues 1121, 1154 and 1429",
    "too_many_deployments_status": "field note in microsoft/GitHub-Copilot-for-Azure",
    "sku_refused_code": f"sentence: community report; code: {_ASSUMED}",
    "missing_deployment_code": _ASSUMED,
    "not_ready_code": (
        "microsoft/chat-copilot issue 682; other code: field note in "
        "microsoft/GitHub-Copilot-for-Azure"
    ),
    "unknown_policy": _ASSUMED,
    "answered_model": _ASSUMED,
    "rate_limits": "quotas page, February 2026",
    "client_retries": "openai-python: its retries send no idempotency key",
    "trained_tokens_extra": "printed output of a job, May 2025",
    "list_lag_s": _ASSUMED,
    "deprecating_models": (
        "lifecycle page, October 2026; public reports of ServiceModelDeprecating from 2026"
    ),
    "model_access": (
        "OfficeDev/microsoft-365-agents-toolkit-samples pull request 1412; sentence: a public "
        "report of 2026"
    ),
    "missing_data_role_status": (
        "microsoft/semantic-kernel issue 10020; Azure-Samples/azure-search-openai-demo issue 1837"
    ),
    "role_openai_contributor": _ROLES,
    "role_usages_reader": f"its action: role-based access page of Azure OpenAI; {_ROLES}",
    "role_openai_user": _ROLES,
    "role_contributor": f"role-based access page of Azure OpenAI; its actions in short: {_ASSUMED}",
    "role_reader": _ROLES,
}


def changed(switches: Switches, values: dict[str, Any]) -> Switches:
    """The switches with some replaced; raises ValueError for an unknown name or position."""
    types = {field.name: field.type for field in fields(Switches)}
    for name, value in values.items():
        if name not in types:
            msg = f"Switches are {', '.join(sorted(types))}."
            raise ValueError(msg)
        if types[name] is float:
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not 0 <= value < float("inf")
            ):
                msg = f"The switch {name} is a number from 0 up."
                raise ValueError(msg)
            continue
        positions = get_args(types[name]) or (True, False)
        if not any(
            # 1 equals True in Python; as a position it is none.
            value is position or (value == position and type(value) is type(position))
            for position in positions
        ):
            msg = f"The switch {name} is one of {', '.join(map(str, positions))}."
            raise ValueError(msg)
    return replace(switches, **values)
