"""Deployments and the management plane, through Microsoft's management client."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.contract.descriptions import Judge
from tests.contract.standin import (
    EVERYTHING,
    StandIn,
    body,
    delete,
    deployed,
    put,
    running,
    state_of,
    tuned_model,
)
from tunedrop.emulator.arm.routes import ACCOUNT_ID
from tunedrop.emulator.world import ACCOUNT, RESOURCE_GROUP

BASE = body("gpt-4.1-mini", version="2025-04-14")


def code_of(error: HttpResponseError) -> str:
    """The code in an error's body."""
    assert error.error is not None
    return str(error.error.code)


def test_deployment_goes_from_accepted_over_creating_to_succeeded(stand_in: StandIn) -> None:
    """A PUT is accepted, then creates, then has succeeded."""
    first = put(stand_in, "ours", BASE)
    assert first.properties
    assert first.properties.provisioning_state == "Accepted"
    stand_in.advance(100)
    assert state_of(stand_in, "ours") == "Creating"
    stand_in.advance(200)
    assert state_of(stand_in, "ours") == "Succeeded"


@pytest.mark.parametrize("version", ["2023-05-01", "2024-10-01", "2025-09-01"])
def test_deployment_reads_as_it_was_asked_for(stand_in: StandIn, version: str) -> None:
    """The management client decodes name, sku, model, tags and policy in each of its
    api-versions.
    """
    asked = body(
        "gpt-4.1-mini", sku="globalstandard", capacity=50, version="2025-04-14", tags={"run": "a-1"}
    )
    asked["properties"]["raiPolicyName"] = "Microsoft.DefaultV2"
    put(stand_in, "ours", asked, version)
    stand_in.advance()
    (found,) = stand_in.arm(version).deployments.list(RESOURCE_GROUP, ACCOUNT, enforce_https=False)
    assert found.sku
    assert found.properties
    assert found.properties.model
    assert (found.id, found.sku.name, found.sku.capacity, found.tags) == (
        f"{ACCOUNT_ID}/deployments/ours",
        "GlobalStandard",
        50,
        {"run": "a-1"},
    )
    assert (found.properties.model.name, found.properties.rai_policy_name) == (
        "gpt-4.1-mini",
        "Microsoft.DefaultV2",
    )


def test_deployment_of_the_lab_is_accepted(stand_in: StandIn) -> None:
    """The lab's own PUT: sku `standard` in lower case, capacity 1, version "1", api-version
    2023-05-01.
    """
    model = tuned_model(
        stand_in, stand_in.azure("2024-05-01-preview"), model="gpt-35-turbo-0613", seed=105
    )
    made = put(stand_in, "gpt-35-turbo-ft", body(model, sku="standard"), "2023-05-01")
    assert made.sku
    assert made.sku.name == "Standard"


def test_deployment_takes_a_checkpoint_by_its_id(stand_in: StandIn) -> None:
    """`ftchkpt-` ids name a model as well."""
    client = stand_in.v1()
    tuned_model(stand_in, client)
    checkpoint = client.fine_tuning.jobs.checkpoints.list(
        client.fine_tuning.jobs.list().data[0].id
    ).data[1]
    made = put(stand_in, "ours", body(checkpoint.id))
    assert made.properties
    assert made.properties.model
    assert made.properties.model.name == checkpoint.fine_tuned_model_checkpoint


def test_second_write_is_a_conflict_until_the_first_is_done(stand_in: StandIn) -> None:
    """One write at a time per account; PUT and DELETE alike."""
    put(stand_in, "first", BASE)
    for write in (lambda: put(stand_in, "second", BASE), lambda: delete(stand_in, "first")):
        with pytest.raises(HttpResponseError) as refused:
            write()
        assert (refused.value.status_code, code_of(refused.value)) == (409, "RequestConflict")
    stand_in.advance(300)
    put(stand_in, "second", BASE)


def test_deployment_deleted_is_gone_after_a_while(stand_in: StandIn) -> None:
    """DELETE is accepted, the deployment then goes; deleting what is not there is a success."""
    put(stand_in, "ours", BASE)
    stand_in.advance()
    delete(stand_in, "ours")
    assert state_of(stand_in, "ours") == "Deleting"
    stand_in.advance(20)
    with pytest.raises(ResourceNotFoundError):
        state_of(stand_in, "ours")
    delete(stand_in, "ours")
    assert [entry["status"] for entry in stand_in.entries("deployments.delete")] == [202, 204]


def test_put_of_the_same_again_changes_nothing(stand_in: StandIn) -> None:
    """A repeated PUT is a 200 that stays Succeeded."""
    put(stand_in, "ours", BASE)
    stand_in.advance()
    again = put(stand_in, "ours", BASE)
    assert again.properties
    assert again.properties.provisioning_state == "Succeeded"
    assert [entry["status"] for entry in stand_in.entries("deployments.create_or_update")] == [
        201,
        200,
    ]


def test_model_changes_in_place_unless_the_switch_refuses(stand_in: StandIn) -> None:
    """PUT of another model is refused, or re-targets the deployment where the switch says so."""
    other = body("gpt-4.1", version="2025-04-14")
    put(stand_in, "ours", BASE)
    stand_in.advance()
    more = body("gpt-4.1", capacity=2, version="2025-04-14")
    for asked, sentence in [
        (other, "The model of deployment cannot be changed"),
        (more, "Cannot change capacity and model at the same time"),
    ]:
        with pytest.raises(HttpResponseError, match=sentence) as refused:
            put(stand_in, "ours", asked)
        assert code_of(refused.value) == "CannotChangeDeploymentModel"
    stand_in.control("PUT", "switches", {"in_place_model_change": "allowed"})
    put(stand_in, "ours", other)
    stand_in.advance()
    assert served(stand_in, "ours") == "gpt-4.1"


def served(stand_in: StandIn, name: str) -> str:
    """The model that a deployment serves."""
    found = stand_in.arm().deployments.get(RESOURCE_GROUP, ACCOUNT, name, enforce_https=False)
    assert found.properties
    assert found.properties.model
    return str(found.properties.model.name)


def test_policy_that_the_account_does_not_have_is_refused_unless_the_switch_takes_it(
    stand_in: StandIn,
) -> None:
    """The listed policies can be deployed with, an invented one can't."""
    listed = [
        one.name
        for one in stand_in.arm().rai_policies.list(RESOURCE_GROUP, ACCOUNT, enforce_https=False)
    ]
    assert listed == ["Microsoft.Default", "Microsoft.DefaultV2"]
    asked = body("gpt-4.1-mini", version="2025-04-14")
    asked["properties"]["raiPolicyName"] = "no-such-policy"
    with pytest.raises(HttpResponseError, match="no content filter policy 'no-such-policy'"):
        put(stand_in, "ours", asked)
    stand_in.control("PUT", "switches", {"unknown_policy": "taken"})
    put(stand_in, "ours", asked)


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        pytest.param(
            body("gpt-9"), "DeploymentModelNotSupported", "Name: gpt-9", id="unknown model"
        ),
        pytest.param(
            body("gpt-4.1.ft-0"),
            "DeploymentModelNotSupported",
            "is not supported",
            id="model of another account",
        ),
        pytest.param(
            body("gpt-4.1", sku="DeveloperTier", version="2025-04-14"),
            "InvalidResourceProperties",
            "SKU",
            id="developer for base",
        ),
        pytest.param(
            body("gpt-4.1", sku="Batchy", version="2025-04-14"),
            "InvalidResourceProperties",
            "SKU 'Batchy'",
            id="unknown sku",
        ),
        pytest.param(
            body("gpt-4.1", capacity=0, version="2025-04-14"),
            "InvalidRequestContent",
            "capacity",
            id="no capacity",
        ),
        pytest.param({**BASE, "colour": 1}, "InvalidRequestContent", "colour", id="unknown field"),
        pytest.param(
            {"sku": {"name": "Standard", "capacity": 1}},
            "InvalidRequestContent",
            "properties",
            id="no properties",
        ),
    ],
)
def test_put_is_refused_when_the_body_is_wrong(
    stand_in: StandIn, asked: Any, code: str, words: str
) -> None:
    """Each refusal has its code and sentence."""
    address = f"{stand_in.base}{ACCOUNT_ID}/deployments/ours?api-version=2024-10-01"
    answer = stand_in.plain.put(address, json=asked, headers={"authorization": "Bearer x"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert words in answer.json()["error"]["message"]


def test_quota_is_kept_by_usage_name(judge: Judge) -> None:
    """Capacity beyond the quota is refused with its numbers; usages tell what is drawn, and
    deleting gives it back.
    """
    with running(judge, limits={"quota_units": 60}) as stand_in:
        asked = body("gpt-4.1-mini", capacity=50, version="2025-04-14")
        put(stand_in, "first", asked)
        stand_in.advance()
        with pytest.raises(HttpResponseError) as refused:
            put(stand_in, "second", asked)
        assert code_of(refused.value) == "InsufficientQuota"
        assert "require 50 new capacity in quota OpenAI.Standard.gpt4.1-mini" in str(refused.value)
        assert "current available capacity 10" in str(refused.value)
        assert usage(stand_in) == (50, 60)
        delete(stand_in, "first")
        stand_in.advance()
        assert usage(stand_in) == (0, 60)


def usage(stand_in: StandIn) -> tuple[float | None, float | None]:
    """Drawn and allowed units of the mini model's Standard quota."""
    found = stand_in.arm().usages.list(EVERYTHING, enforce_https=False)
    return next(
        (one.current_value, one.limit)
        for one in found
        if one.name and one.name.value == "OpenAI.Standard.gpt4.1-mini"
    )


def test_number_of_fine_tuned_deployments_is_limited_and_settable(stand_in: StandIn) -> None:
    """Beyond the limit a fine-tuned deployment is refused; raised, twenty stand at once."""
    model = tuned_model(stand_in, stand_in.v1())
    stand_in.control("PUT", "limits", {"fine_tuned_deployments_max": 1})
    put(stand_in, "d0", body(model))
    stand_in.advance()
    with pytest.raises(HttpResponseError) as refused:
        put(stand_in, "d1", body(model))
    assert refused.value.status_code == 429
    stand_in.control("PUT", "limits", {"fine_tuned_deployments_max": 20})
    stand_in.control("PUT", "pace", "instant")
    for number in range(1, 20):
        put(stand_in, f"d{number}", body(model))
    assert len(stand_in.control("GET", "state")["deployments"]) == 20


def test_hosting_costs_by_the_hour_until_it_is_deleted(stand_in: StandIn) -> None:
    """A fine-tuned deployment costs 1.70 USD an hour from Succeeded to its DELETE."""
    deployed(stand_in, stand_in.v1())
    (before,) = stand_in.control("GET", "costs")["deployments"]
    stand_in.advance(10 * 3600)
    delete(stand_in, "ours")
    stand_in.advance()
    (after,) = stand_in.control("GET", "costs")["deployments"]
    assert after["cost_usd"] - before["cost_usd"] == pytest.approx(17.0)


def test_models_tell_what_can_be_tuned_and_until_when(stand_in: StandIn) -> None:
    """Account and location list models with capabilities, SKUs, usage names, and dates that move
    with the state's first day.
    """
    arm = stand_in.arm()
    # The location's list is one of the subscription's.
    stand_in.control("PUT", "switches", {"role_reader": True})
    of_account = list(arm.accounts.list_models(RESOURCE_GROUP, ACCOUNT, enforce_https=False))
    of_location = [one.model for one in arm.models.list(EVERYTHING, enforce_https=False)]
    assert [one.name for one in of_account] == [one.name for one in of_location if one]
    mini = next(one for one in of_account if one.name == "gpt-4.1-mini")
    assert mini.capabilities
    assert mini.deprecation
    assert mini.skus
    today = datetime.fromtimestamp(stand_in.control("GET", "state")["now"], UTC)
    written, named = datetime(2026, 11, 28, tzinfo=UTC), datetime(2027, 4, 14, tzinfo=UTC)
    assert (
        mini.deprecation.fine_tune
        == f"{named + timedelta((today - written).days):%Y-%m-%dT%H:%M:%SZ}"
    )
    old = next(one for one in of_account if one.version == "0613")
    assert old.capabilities
    trained_by = [
        {word for word in one.capabilities or {} if "FineTune" in word or "fineTune" in word}
        for one in (mini, old)
    ]
    assert trained_by == [
        {"fineTune", "globalFineTune", "devTierFineTune"},
        {"fineTune", "globalFineTune"},
    ]
    assert {one.usage_name for one in mini.skus if one.name == "Standard"} == {
        "OpenAI.Standard.gpt4.1-mini",
        "OpenAI.Standard.gpt4.1-mini-finetune",
    }


def test_account_names_its_endpoint(stand_in: StandIn) -> None:
    """The account is found, with the endpoint of this stand-in."""
    found = stand_in.arm().accounts.get(RESOURCE_GROUP, ACCOUNT, enforce_https=False)
    assert found.properties
    assert (found.kind, found.location, found.properties.endpoint) == (
        "OpenAI",
        EVERYTHING,
        f"{stand_in.base}/",
    )


@pytest.mark.parametrize(("group", "account"), [("other", ACCOUNT), (RESOURCE_GROUP, "other")])
def test_another_account_is_not_found(stand_in: StandIn, group: str, account: str) -> None:
    """There is one account."""
    with pytest.raises(ResourceNotFoundError) as missing:
        stand_in.arm().accounts.get(group, account, enforce_https=False)
    assert code_of(missing.value) == "ResourceNotFound"
