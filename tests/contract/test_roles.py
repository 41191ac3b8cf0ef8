"""Roles, asked anew for each call: which operation needs which action, and how Azure says no."""

from typing import Any

import openai
import pytest
from azure.core.exceptions import HttpResponseError

from tests.contract.standin import EVERYTHING, StandIn, body, put, upload
from tests.contract.test_deployments import code_of
from tunedrop.emulator import roles
from tunedrop.emulator.arm.routes import ACCOUNT_ID
from tunedrop.emulator.roles import ASSIGNED
from tunedrop.emulator.service import Service
from tunedrop.emulator.switches import Switches
from tunedrop.emulator.world import ACCOUNT, RESOURCE_GROUP, Config

BASE = body("gpt-4.1-mini", version="2025-04-14")


def given(stand_in: StandIn, *names: str) -> None:
    """The local identity has these roles and no other."""
    stand_in.control("PUT", "switches", {name: name in names for name in ASSIGNED})


def by_token(stand_in: StandIn) -> openai.AzureOpenAI:
    """A client that has a token, and no key."""
    return stand_in.azure(azure_ad_token_provider=lambda: "token")


def refused_by_arm(call: Any) -> tuple[int, str, str]:
    """Status, code and sentence of a management call that is refused."""
    with pytest.raises(HttpResponseError) as refused:
        call()
    return refused.value.status_code or 0, code_of(refused.value), str(refused.value)


def test_every_operation_needs_an_action_that_some_role_gives() -> None:
    """No operation is left out of the roles."""
    service = Service(Config())
    planes = [
        *service.management_plane.operations(),
        *service.data_plane.operations("v1"),
        *service.data_plane.operations("api-version"),
    ]
    every = [role for role, _ in ASSIGNED.values()]
    assert [one.name for one in planes if not any(role.allows(one.action) for role in every)] == []


def test_local_identity_may_do_what_its_two_roles_allow_and_no_more() -> None:
    """Of the two of docs/security.md: not its own permissions, and of the subscription nothing but
    usages.
    """
    service = Service(Config())
    planes = [
        *service.management_plane.operations(),
        *service.data_plane.operations("v1"),
        *service.data_plane.operations("api-version"),
    ]
    denied = {one.name for one in planes if not roles.allowed(Switches(), one.action, one.scope)}
    assert denied == {
        "permissions.list_for_resource",
        "locations.list_models",
        "locations.operation_status",
    }


def test_user_role_reads_and_chats_but_does_not_write(stand_in: StandIn) -> None:
    """OpenAI User may list files and deployments; it uploads, trains and deploys nothing."""
    given(stand_in, "role_openai_user", "role_usages_reader")
    client = by_token(stand_in)
    assert client.files.list().data == []
    with pytest.raises(
        openai.AuthenticationError, match="Principal does not have access to API/Operation"
    ) as refused:
        upload(client)
    assert refused.value.code == "PermissionDenied"
    # The role reaches as far as the deployment, which isn't there.
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="ours", messages=[{"role": "user", "content": "?"}])
    assert refused_by_arm(lambda: put(stand_in, "ours", BASE))[:2] == (403, "AuthorizationFailed")
    assert list(stand_in.arm().deployments.list(RESOURCE_GROUP, ACCOUNT, enforce_https=False)) == []


def test_management_role_reaches_no_data(stand_in: StandIn) -> None:
    """Cognitive Services Contributor deploys, and has no token for files."""
    given(stand_in, "role_contributor")
    put(stand_in, "ours", BASE)
    with pytest.raises(openai.AuthenticationError):
        by_token(stand_in).files.list()


def test_refusal_of_the_management_plane_names_action_and_scope(stand_in: StandIn) -> None:
    """In Azure's words, which say what to give and where."""
    given(stand_in)
    status, code, words = refused_by_arm(
        lambda: stand_in.arm().accounts.get(RESOURCE_GROUP, ACCOUNT, enforce_https=False)
    )
    assert (status, code) == (403, "AuthorizationFailed")
    assert (
        "authorization to perform action 'Microsoft.CognitiveServices/accounts/read' over "
        f"scope '{ACCOUNT_ID}' or the scope"
    ) in words


def test_quota_is_read_by_a_role_on_the_subscription_alone(stand_in: StandIn) -> None:
    """A role on the account doesn't reach the subscription, though its actions end in `*/read`."""
    given(stand_in, "role_openai_contributor")
    status, _, words = refused_by_arm(
        lambda: list(stand_in.arm().usages.list(EVERYTHING, enforce_https=False))
    )
    assert status == 403
    assert (
        "'Microsoft.CognitiveServices/locations/usages/read' over scope "
        "'/subscriptions/00000000-0000-0000-0000-000000000000' or"
    ) in words
    given(stand_in, "role_openai_contributor", "role_usages_reader")
    assert list(stand_in.arm().usages.list(EVERYTHING, enforce_https=False))


def test_permissions_are_read_by_reader_and_tell_every_role_that_reaches_the_account(
    stand_in: StandIn,
) -> None:
    """OpenAI Contributor may not ask for its own rights; with Reader beside it the answer holds
    both.
    """
    permissions = "providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
    address = f"{stand_in.base}{ACCOUNT_ID}/{permissions}"
    headers = {"authorization": "Bearer x"}
    assert stand_in.plain.get(address, headers=headers).status_code == 403
    given(stand_in, "role_openai_contributor", "role_reader")
    found = stand_in.plain.get(address, headers=headers).json()["value"]
    assert [set(one) for one in found] == [
        {"actions", "notActions", "dataActions", "notDataActions"}
    ] * 2
    assert "Microsoft.CognitiveServices/accounts/deployments/write" in found[0]["actions"]
    assert found[1]["actions"] == ["*/read"]


def test_key_needs_no_role(stand_in: StandIn) -> None:
    """Whoever has the account's key may do all of the data plane, in either header; a role that is
    given again counts at once.
    """
    given(stand_in)
    assert upload(stand_in.v1()).id
    assert upload(stand_in.azure()).id
    given(stand_in, "role_openai_contributor")
    assert upload(by_token(stand_in)).id
