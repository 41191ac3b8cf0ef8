"""Every refusal of the data plane: status, code, sentence. Sentences never quote what the caller
sent, names apart.
"""

from tunedrop.emulator.faults import CONTENT_FILTER, RETIRED
from tunedrop.emulator.refusal import Refusal

DEPLOYMENT_NOT_FOUND = (
    "The API deployment for this resource does not exist. If you created the deployment within "
    "the last 5 minutes, "
    "please wait a moment and try again."
)


def unauthorized() -> Refusal:
    """No key, a wrong key, or no token."""
    return Refusal(
        401, "unauthorized", "Access denied due to invalid subscription key or wrong API endpoint."
    )


# Codes are those of the 2024-10-21 authoring description; which status goes with which is not
# written down there and follows common sense, see `switches.entity_state_status`.
def forbidden(status: int) -> Refusal:
    """No role of the caller has the data action."""
    # Code and sentence as public reports of Azure OpenAI show them.
    return Refusal(status, "PermissionDenied", "Principal does not have access to API/Operation.")


def invalid(message: str, param: str | None = None) -> Refusal:
    """A request that says something it must not."""
    return Refusal(400, "invalidPayload", message, param=param)


def unknown_fields(names: list[str], where: str = "body") -> Refusal:
    """Fields or query parameters that this surface and version do not know."""
    return invalid(
        f"Unknown in the {where}: {', '.join(name[:40] for name in sorted(names))}.",
        sorted(names)[0][:40],
    )


def api_version_not_allowed() -> Refusal:
    """The v1 surface takes no api-version."""
    return invalid("api-version query parameter is not allowed when using /v1 path.", "api-version")


def api_version_unknown(known: tuple[str, ...]) -> Refusal:
    """A missing or unknown version on the api-version surface."""
    return invalid(
        f"The api-version is missing or not supported here. Supported: {', '.join(known)}.",
        "api-version",
    )


def not_found(thing: str) -> Refusal:
    """No such file, job or model."""
    return Refusal(404, "notFound", f"The specified {thing} does not exist.")


def deployment_not_found(code: str = "DeploymentNotFound") -> Refusal:
    """A chat call on a deployment that is absent or does not answer yet."""
    return Refusal(404, code, DEPLOYMENT_NOT_FOUND)


def model_retired() -> Refusal:
    """A chat call on a deployment whose model is retired."""
    # 410 Gone by the lifecycle page; its text is not shown there.
    return Refusal(410, "ModelRetired", RETIRED)


def wrong_state(status: int, message: str) -> Refusal:
    """The thing is in no state for this."""
    return Refusal(status, "unexpectedEntityState", message)


def quota_exceeded(message: str) -> Refusal:
    """A count or size of the resource is used up."""
    return Refusal(429, "quotaExceeded", message)


def jsonl_invalid(message: str) -> Refusal:
    """A training file that can't be trained on."""
    return Refusal(400, "jsonlValidationFailed", message, param="training_file")


def too_many_requests(retry_after_s: int) -> Refusal:
    """More requests than a rate allows."""
    message = (
        f"Requests have exceeded the call rate limit. Please retry after {retry_after_s} seconds."
    )
    return Refusal(429, "tooManyRequests", message, headers={"retry-after": str(retry_after_s)})


def content_filtered() -> Refusal:
    """The prompt was blocked."""
    inner: dict[str, object] = {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_result": {
            name: {
                "filtered": name == "violence",
                "severity": "high" if name == "violence" else "safe",
            }
            for name in ("hate", "self_harm", "sexual", "violence")
        },
    }
    return Refusal(400, "content_filter", CONTENT_FILTER, param="prompt", inner=inner)


def client_retried() -> Refusal:
    """A creating call that the client repeats."""
    # No answer of the service: the stand-in's own, for whoever must know that the client repeats
    # what costs money.
    return Refusal(
        400,
        "clientRetried",
        (
            "The client sent this creating call before (x-stainless-retry-count): it would be made "
            "twice."
        ),
    )


def not_implemented(operations: list[str]) -> Refusal:
    """An operation that the stand-in does not imitate."""
    return Refusal(
        501,
        "NotImplemented",
        f"The stand-in does not imitate this. It has: {', '.join(operations)}.",
    )
