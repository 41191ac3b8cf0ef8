"""Every refusal of the management plane: status, code, sentence.

Texts come from public issues where one shows them; statuses marked open there hang on switches.
"""

from tunedrop.emulator.refusal import Refusal

# The object id of the local identity.
PRINCIPAL = "00000000-0000-0000-0000-00000000cafe"


def unauthenticated() -> Refusal:
    """No bearer token."""
    return Refusal(
        401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
    )


def forbidden(action: str, scope: str) -> Refusal:
    """The caller's role lacks the action."""
    message = (
        f"The client '{PRINCIPAL}' with object id '{PRINCIPAL}' does not have authorization to "
        f"perform action '{action}' over scope "
        f"'{scope}' or the scope is invalid. If access was recently granted, please refresh "
        "your credentials."
    )
    return Refusal(403, "AuthorizationFailed", message)


def api_version(known: tuple[str, ...]) -> Refusal:
    """A missing or unknown api-version."""
    return Refusal(
        400,
        "InvalidApiVersionParameter",
        f"The api-version is missing or invalid. The supported versions are '{', '.join(known)}'.",
    )


def resource_not_found(kind: str) -> Refusal:
    """No such account or subscription here."""
    return Refusal(404, "ResourceNotFound", f"The Resource of type '{kind}' was not found.")


def deployment_not_found(code: str) -> Refusal:
    """No such deployment."""
    return Refusal(404, code, "The specified deployment does not exist.")


def location_unknown(location: str) -> Refusal:
    """The account's location is the only one."""
    return Refusal(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for this location; the stand-in has '{location}'.",
    )


def invalid(message: str) -> Refusal:
    """A body that says something it must not."""
    return Refusal(400, "InvalidRequestContent", message)


def invalid_name(longest: int) -> Refusal:
    """A deployment name that the service does not take."""
    return Refusal(
        400,
        "InvalidResourceName",
        f"A deployment's name has 1 to {longest} letters, digits, '-', '_' or '.'.",
    )


def busy(account: str) -> Refusal:
    """Another write to the account is under way: one at a time."""
    message = (
        f"Another operation is being performed on the parent resource '{account}'. Please try "
        "again later."
    )
    return Refusal(409, "RequestConflict", message)


def insufficient_quota(asked: int, available: int, used: int, limit: int, usage: str) -> Refusal:
    """The capacity of a usage name does not suffice."""
    message = (
        f"This operation require {asked} new capacity in quota {usage}, which is bigger than "
        f"the current available capacity {available}. "
        f"The current quota usage is {used} and the quota limit is {limit} for quota {usage}."
    )
    return Refusal(400, "InsufficientQuota", message)


def sku_refused(code: str, sku: str, model: str) -> Refusal:
    """The SKU does not serve the model here."""
    return Refusal(
        400,
        code,
        f"The specified SKU '{sku}' of account deployment is not supported by the model '{model}'.",
    )


def model_unsupported(form: str, name: str, version: str) -> Refusal:
    """No such model, or one of another account."""
    message = (
        f"The model 'Format: {form}, Name: {name}, Version: {version}' of account deployment is "
        "not supported."
    )
    return Refusal(400, "DeploymentModelNotSupported", message)


def model_change_refused() -> Refusal:
    """The model of an existing deployment can't be replaced in place."""
    return Refusal(400, "CannotChangeDeploymentModel", "The model of deployment cannot be changed.")


def model_and_capacity_change_refused() -> Refusal:
    """The same where the capacity would change, too."""
    # Its code was not shown anywhere, so it is that of the model's change.
    return Refusal(
        400,
        "CannotChangeDeploymentModel",
        "Cannot change capacity and model at the same time for deployment.",
    )


def model_retired(model: str, since: str) -> Refusal:
    """No new deployments of a model whose time is over; `since` is a date with the month first."""
    return Refusal(
        400, "ServiceModelDeprecated", f"The model '{model}' has been deprecated since {since}."
    )


def model_deprecating(model: str) -> Refusal:
    """No new deployments of a model that is on its way out, where the subscription has had none."""
    return Refusal(
        400,
        "ServiceModelDeprecating",
        f"The model '{model}' is in deprecating state and cannot be used for new deployments.",
    )


def no_access(model: str) -> Refusal:
    """The subscription was not given this model."""
    return Refusal(
        400,
        "SpecialFeatureOrQuotaIdRequired",
        f"The current subscription does not have access to this model '{model}'.",
    )


def policy_unknown(name: str) -> Refusal:
    """The account has no content filter policy of that name."""
    # No text of the service was found.
    return Refusal(
        400, "InvalidResourceProperties", f"The account has no content filter policy '{name}'."
    )


def too_many_deployments(status: int, limit: int, what: str) -> Refusal:
    """The number of deployments is used up."""
    return Refusal(
        status, "DeploymentLimitExceeded", f"The account has its maximum of {limit} {what}."
    )


def not_implemented(operations: list[str]) -> Refusal:
    """An operation that the stand-in does not imitate."""
    return Refusal(
        501,
        "NotImplemented",
        f"The stand-in does not imitate this. It has: {', '.join(operations)}.",
    )
