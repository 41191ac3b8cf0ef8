"""Azure Resource Manager at the transport: one write, sent once; who may; what is there and what is
gone.
"""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from urllib3.exceptions import ProtocolError

from shared.errors import OutcomeUnknown, ServiceRejected, ServiceUnavailable, TuneDropError
from shared.models.plan import DeploymentPlan
from shared.services.resource_manager import ResourceManager
from tests.unit.adapters.arm_wire import (
    ACCOUNT_ID,
    Answering,
    Wire,
    deployment_body,
    fails,
    raw,
    refused,
    told,
)

SECRET = "the name of somebody's model"
WRITE = "Microsoft.CognitiveServices/accounts/deployments/write"


def put(manager: ResourceManager, **changes: Any) -> str:
    """Puts a deployment with nothing special in it."""
    plan = DeploymentPlan(name="travel", sku="GlobalStandard", capacity=10).model_copy(
        update=changes
    )
    return manager.put_deployment(plan, SECRET, "travel-12345678", 5)


ENDINGS: dict[str, tuple[Answering, type[TuneDropError]]] = {
    "read-timeout": (fails(requests.ReadTimeout(SECRET)), OutcomeUnknown),
    "connection-reset": (fails(requests.ConnectionError(ProtocolError(SECRET))), OutcomeUnknown),
    "connection-refused": (fails(requests.ConnectionError(SECRET)), ServiceUnavailable),
    "connect-timeout": (fails(requests.ConnectTimeout(SECRET)), ServiceUnavailable),
    "408": (refused(408, "Timeout"), OutcomeUnknown),
    "409-nobody-knows": (refused(409, "Odd"), OutcomeUnknown),
    "409-request-conflict": (refused(409, "RequestConflict"), ServiceUnavailable),
    "409-other-operation": (refused(409, "AnotherOperationInProgress"), ServiceUnavailable),
    "409-conflict": (refused(409, "Conflict"), ServiceUnavailable),
    "409-without-body": (raw(409), OutcomeUnknown),
    "429-with-body": (refused(429, "TooManyRequests"), ServiceUnavailable),
    "429-without-body": (raw(429), ServiceUnavailable),
    "500": (refused(500, "InternalServerError"), OutcomeUnknown),
    "503": (refused(503, "ServiceUnavailable"), OutcomeUnknown),
    "503-page": (raw(503, b"<html>later</html>", content_type="text/html"), OutcomeUnknown),
    "400": (refused(400, "InsufficientQuota"), ServiceRejected),
    "400-without-body": (raw(400), ServiceRejected),
    "403": (refused(403, "AuthorizationFailed"), ServiceRejected),
    "404": (refused(404, "ResourceNotFound"), ServiceRejected),
}


@pytest.mark.parametrize(("answering", "ending"), ENDINGS.values(), ids=ENDINGS.keys())
def test_put_is_sent_once_and_ends_as_promised(
    answering: Answering, ending: type[TuneDropError]
) -> None:
    """What may have been taken has an unknown outcome, the rest is told apart, and no error tells
    what was sent.
    """
    wire = Wire(answering)
    with pytest.raises(TuneDropError) as raised:
        put(wire.manager())
    assert type(raised.value) is ending
    assert len(wire.requests) == 1
    assert SECRET not in raised.value.problem.model_dump_json()
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "answering",
    [told(deployment_body()), told(deployment_body(), 201), told({}), raw(200, b'{"name": "tra')],
    ids=["200", "201", "without-name", "truncated"],
)
def test_put_answers_the_name_it_was_given(answering: Answering) -> None:
    """The name is ours: a yes is a yes, however little of the deployment comes with it."""
    wire = Wire(answering)
    assert put(wire.manager()) == "travel"
    assert len(wire.requests) == 1


def test_put_sends_the_whole_deployment() -> None:
    """Model, version, SKU, capacity, policy, and whose it is."""
    wire = Wire(told(deployment_body()))
    put(wire.manager(), rai_policy="strict")
    assert wire.requests[0].method == "PUT"
    assert wire.sent() == {
        "sku": {"name": "GlobalStandard", "capacity": 10},
        "tags": {"tunedrop-run": "travel-12345678"},
        "properties": {
            "model": {"format": "OpenAI", "name": SECRET, "version": "1"},
            "raiPolicyName": "strict",
        },
    }


def test_put_sends_no_tags_when_the_version_has_none() -> None:
    """Before 2024-10-01 a deployment has no tags, and an unknown field is refused."""
    wire = Wire(told(deployment_body()))
    put(wire.manager("2023-05-01"))
    assert set(wire.sent()) == {"sku", "properties"}
    assert "api-version=2023-05-01" in (wire.requests[0].url or "")


def test_put_is_refused_with_the_services_text_when_the_quota_is_used_up() -> None:
    """Which quota is short stands in Azure's own message, and its request id beside it."""
    text = (
        "This operation requires 10 new capacity in quota Tokens Per Minute (thousands), which is "
        "bigger than the current 5."
    )
    wire = Wire(refused(400, "InsufficientQuota", text, x_ms_request_id="req-1"))
    with pytest.raises(
        ServiceRejected, match="InsufficientQuota: This operation requires 10"
    ) as raised:
        put(wire.manager())
    assert (raised.value.status, raised.value.azure_code, raised.value.problem.request_id) == (
        400,
        "InsufficientQuota",
        "req-1",
    )


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-3", 0.0),
        ("999999999", 3600.0),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_between_nothing_and_an_hour(
    header: str, seconds: float | None
) -> None:
    """The service's wish is heard, bounded, and ignored where it is not a number."""
    with pytest.raises(ServiceUnavailable) as raised:
        put(Wire(refused(409, "RequestConflict", Retry_After=header)).manager())
    assert raised.value.retry_after_s == seconds


@pytest.mark.parametrize(
    "content", [b'{"name": "tra', b"", b"null", b"[]"], ids=["truncated", "empty", "null", "list"]
)
def test_read_can_be_tried_again_when_its_answer_is_broken(content: bytes) -> None:
    """A yes that can't be read is no refusal: it must not end a run that has paid."""
    with pytest.raises(ServiceUnavailable):
        Wire(raw(200, content)).manager().deployment("travel")


def test_read_can_be_tried_again_when_the_wait_that_it_is_asked_for_is_no_time() -> None:
    """A Retry-After that azure-core can't read is no crash."""
    with pytest.raises(ServiceUnavailable):
        Wire(refused(503, "Busy", Retry_After="soon")).manager().deployment("travel")


def test_deployment_is_none_when_there_is_none() -> None:
    """A 404 is an answer."""
    assert Wire(refused(404, "ResourceNotFound")).manager().deployment("travel") is None


def test_delete_is_through_when_the_deployment_is_gone() -> None:
    """A 404 is what a delete wishes for."""
    wire = Wire(refused(404, "ResourceNotFound"))
    wire.manager().delete_deployment("travel")
    assert [request.method for request in wire.requests] == ["DELETE"]


@pytest.mark.parametrize("status", [200, 204])
def test_delete_is_sent_once_when_it_works(status: int) -> None:
    """The caller waits for the end; the delete itself answers at once."""
    wire = Wire(raw(status))
    wire.manager().delete_deployment("travel")
    assert [request.method for request in wire.requests] == ["DELETE"]


def test_delete_is_unavailable_when_another_write_goes_on() -> None:
    """One write at a time for an account: the clean-up comes again."""
    with pytest.raises(ServiceUnavailable, match="409 RequestConflict"):
        Wire(refused(409, "RequestConflict")).manager().delete_deployment("travel")


@pytest.mark.parametrize(
    "answering",
    [
        fails(requests.ReadTimeout()),
        refused(408, "Timeout"),
        refused(409, "Odd"),
        refused(500, "Broken"),
    ],
    ids=["read-timeout", "408", "409", "500"],
)
def test_read_is_never_of_unknown_outcome(answering: Answering) -> None:
    """A read changes nothing: it is unavailable, and can be asked again."""
    with pytest.raises(ServiceUnavailable) as raised:
        Wire(answering).manager().deployment("travel")
    assert not isinstance(raised.value, OutcomeUnknown)


def test_deployment_tells_model_state_and_owner() -> None:
    """The facts come from the properties, the SKU and our tag."""
    found = Wire(told(deployment_body(tags={"tunedrop-run": "travel-1"}))).manager().deployment("d")
    assert found is not None
    assert (found.name, found.model, found.sku, found.capacity, found.state, found.owner) == (
        "d",
        "ft:travel",
        "Standard",
        10,
        "Succeeded",
        "travel-1",
    )


def test_deployment_is_bare_when_the_service_tells_only_its_name() -> None:
    """A deployment on its way may lack everything else, and belongs to nobody."""
    found = Wire(told({"name": "d"})).manager().deployment("d")
    assert found is not None
    assert (found.model, found.sku, found.capacity, found.state, found.owner) == (
        "",
        "",
        0,
        "unknown",
        None,
    )


GRANTS: dict[str, tuple[list[dict[str, list[str]]], bool]] = {
    "everything": ([{"actions": ["*"], "notActions": []}], True),
    "the-action": ([{"actions": [WRITE], "notActions": []}], True),
    "in-lower-case": ([{"actions": [WRITE.lower()], "notActions": []}], True),
    "of-the-account": (
        [{"actions": ["Microsoft.CognitiveServices/accounts/*"], "notActions": []}],
        True,
    ),
    "any-write": ([{"actions": ["*/write"], "notActions": []}], True),
    "any-read": ([{"actions": ["*/read"], "notActions": []}], False),
    "other-action": (
        [{"actions": ["Microsoft.CognitiveServices/accounts/deployments/read"], "notActions": []}],
        False,
    ),
    "taken-away": ([{"actions": ["*"], "notActions": [WRITE]}], False),
    "taken-away-by-wildcard": (
        [{"actions": ["*"], "notActions": ["microsoft.cognitiveservices/*/WRITE"]}],
        False,
    ),
    "given-by-another-role": (
        [{"actions": ["*"], "notActions": [WRITE]}, {"actions": [WRITE], "notActions": []}],
        True,
    ),
    "without-not-actions": ([{"actions": ["*"]}], True),
    "nothing": ([], False),
    "data-only": ([{"actions": [], "notActions": [], "dataActions": ["*"]}], False),
}


@pytest.mark.parametrize(("granted", "may"), GRANTS.values(), ids=GRANTS.keys())
def test_permission_is_what_one_role_gives_and_does_not_take_away(
    granted: list[dict[str, list[str]]], may: bool
) -> None:
    """Wildcards and any case match; notActions count within their own role only."""
    wire = Wire(told({"value": granted}))
    assert wire.manager().may_deploy() is may
    assert "/providers/Microsoft.Authorization/permissions?api-version=2022-04-01" in (
        wire.requests[0].url or ""
    )


NOT_TO_BE_ASKED = refused(403, "AuthorizationFailed")


def test_permissions_are_unknown_when_the_caller_may_not_even_ask() -> None:
    """403 is not the same as having no permission: a role can hold the right to deploy and not the
    right to read permissions.
    """
    assert Wire(NOT_TO_BE_ASKED).manager().may_deploy() is None


def test_quotas_are_unknown_when_the_caller_may_not_ask() -> None:
    """The right to read them is one of the subscription's, which the role of a run doesn't hold."""
    assert Wire(NOT_TO_BE_ASKED).manager().quotas("westus") is None


def quotas_of_a_region(manager: ResourceManager) -> object:
    """The quotas of some region."""
    return manager.quotas("westus")


@pytest.mark.parametrize(
    "ask", [ResourceManager.may_deploy, quotas_of_a_region, ResourceManager.rai_policies]
)
def test_what_is_unknown_is_not_what_is_away(ask: Callable[[ResourceManager], object]) -> None:
    """Trouble of the service is waited for; only its refusal to say leaves a question open."""
    with pytest.raises(ServiceUnavailable):
        ask(Wire(refused(503, "Busy")).manager())


def test_content_filter_policies_are_the_listed_and_the_built_in_ones() -> None:
    """The policies that every account has count where the list leaves them out."""
    wire = Wire(told({"value": [{"name": "strict"}]}))
    assert wire.manager().rai_policies() == {"strict", "Microsoft.Default", "Microsoft.DefaultV2"}
    assert f"{ACCOUNT_ID}/raiPolicies?api-version=2024-10-01" in (wire.requests[0].url or "")


@pytest.mark.parametrize(
    "no",
    [
        NOT_TO_BE_ASKED,
        refused(400, "InvalidApiVersionParameter"),
        refused(404, "InvalidResourceType"),
    ],
    ids=["403", "400", "404"],
)
def test_content_filter_policies_are_unknown_when_they_cannot_be_asked_for(no: Answering) -> None:
    """An api-version without them, and a caller without the right."""
    assert Wire(no).manager("2023-05-01").rai_policies() is None


TRAINED_BY: dict[str, tuple[object, frozenset[str] | None]] = {
    "all": (
        {"fineTune": "true", "globalFineTune": "true", "devTierFineTune": "true"},
        frozenset({"Standard", "GlobalStandard", "Developer"}),
    ),
    "global-and-developer": (
        {"globalFineTune": "true", "devTierFineTune": "true"},
        frozenset({"GlobalStandard", "Developer"}),
    ),
    "in-any-case": ({"GLOBALFINETUNE": "TRUE"}, frozenset({"GlobalStandard"})),
    "said-to-be-none": ({"fineTune": "false", "globalFineTune": "false"}, frozenset()),
    "not-said-at-all": ({"chatCompletion": "true"}, frozenset()),
    "old-limits-beside": (
        {"fineTune": "true", "FineTuneTokensMaxValue": "2000000000"},
        frozenset({"Standard"}),
    ),
    "by-other-words": ({"FineTuneTokensMaxValue": "2000000000"}, None),
    "neither-yes-nor-no": ({"fineTune": "preview"}, None),
    "empty": ({}, None),
    "absent": (None, None),
}


@pytest.mark.parametrize(
    ("capabilities", "training_types"), TRAINED_BY.values(), ids=TRAINED_BY.keys()
)
def test_model_tells_by_which_training_types_it_is_trained(
    capabilities: object, training_types: frozenset[str] | None
) -> None:
    """Each type has its own capability, and in many regions Standard is missing; a form that we
    don't know is unknown, not a no.
    """
    listed = [
        {"name": "gpt-4.1-mini", "version": "2025-04-14"}
        | ({"capabilities": capabilities} if capabilities is not None else {})
    ]
    (model,) = Wire(told({"value": listed})).manager().models()
    assert (model.training_types, model.trainable) == (training_types, bool(training_types))


def test_models_tell_what_can_be_trained_and_on_which_skus() -> None:
    """A model is trainable when its capabilities say so in any case; SKUs are known in
    lower case.
    """
    listed = [
        {
            "name": "gpt-4.1-mini",
            "version": "2025-04-14",
            "capabilities": {"FineTune": "True"},
            "skus": [{"name": "Std", "usageName": "q"}],
        },
        {"name": "gpt-4o", "version": "1", "capabilities": {"fineTune": "false"}},
        {"name": "bare", "version": "1"},
    ]
    models = Wire(told({"value": listed})).manager().models()
    assert [(m.name, m.trainable, m.skus) for m in models] == [
        ("gpt-4.1-mini", True, {"std": "q"}),
        ("gpt-4o", False, {}),
        ("bare", False, {}),
    ]
    assert [
        models[0].is_called(name) for name in ("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "gpt-4.1")
    ] == [True, True, False]


@pytest.mark.parametrize("turned", [False, True], ids=["base first", "base last"])
def test_skus_of_what_is_trained_are_told_from_the_model_s_own(turned: bool) -> None:
    """One name stands twice in the list: the ending of its quota says whom it serves, in whatever
    order they come.
    """
    skus = [
        {"name": "Standard", "usageName": "OpenAI.Standard.gpt4.1-mini"},
        {"name": "GlobalStandard", "usageName": "OpenAI.GlobalStandard.gpt4.1-mini"},
        {"name": "GlobalStandard", "usageName": "OpenAI.GlobalStandard.gpt4.1-mini-finetune"},
    ]
    listed = [
        {"name": "gpt-4.1-mini", "version": "2025-04-14", "skus": skus[::-1] if turned else skus}
    ]
    (model,) = Wire(told({"value": listed})).manager().models()
    assert model.skus == {
        "standard": "OpenAI.Standard.gpt4.1-mini",
        "globalstandard": "OpenAI.GlobalStandard.gpt4.1-mini",
    }
    assert model.tuned_skus == {"globalstandard": "OpenAI.GlobalStandard.gpt4.1-mini-finetune"}


def test_quotas_are_known_by_their_names() -> None:
    """Use and limit by name; what the service leaves out is nothing."""
    listed = [
        {"name": {"value": "q"}, "currentValue": 3.0, "limit": 10.0},
        {"name": {"value": "empty"}},
        {"limit": 1.0},
    ]
    quotas = Wire(told({"value": listed})).manager().quotas("westus")
    assert quotas is not None
    assert {name: (quota.used, quota.limit) for name, quota in quotas.items()} == {
        "q": (3.0, 10.0),
        "empty": (0.0, 0.0),
    }
