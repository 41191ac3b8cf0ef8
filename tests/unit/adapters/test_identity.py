"""An identity that gives no token: told by its name on every way to Azure, and waited for."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError
from azure.identity import CredentialUnavailableError

from shared.errors import OutcomeUnknown
from shared.services.credentials import Named, NoToken
from tests.unit.adapters.misbehaving import (
    Answering,
    Service,
    arm_of,
    connected,
    container,
    forget,
    openai_of,
    serving,
    told,
    whole,
)
from tests.unit.adapters.test_azure_openai_creating import an_order
from tests.unit.adapters.test_bounds import put

__all__ = ["connected"]

TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJuIn0.c2lnbmVk"
CALLS: dict[str, Callable[[Service], object]] = {
    "openai-read": lambda service: openai_of(service).file("file-1"),
    "openai-create": lambda service: openai_of(service).create_job(an_order(), 30),
    "openai-versioned": lambda service: openai_of(service, "2024-10-21").file("file-1"),
    "arm-read": lambda service: arm_of(service).deployments(),
    "arm-write": lambda service: put(arm_of(service)),
    "storage-read": lambda _service: container().read("b"),
    "storage-write": lambda _service: container().put("b", b"x"),
}
EACH_CALL = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


@pytest.fixture
def by_identity(
    connected: Callable[[Service], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Service, Service], None]:
    """Points the app to a service that it reaches with the token of an identity endpoint."""

    def point(service: Service, identity: Service) -> None:
        connected(service)
        monkeypatch.setenv("TUNEDROP_CREDENTIAL", "managed-identity")
        monkeypatch.delenv("DropStorage")
        # The bearer policies refuse plain http, so storage is asked by a name that leads nowhere:
        # no token, no question.
        monkeypatch.setenv("DropStorage__blobServiceUri", "https://account.blob.invalid")
        monkeypatch.setenv("DropStorage__queueServiceUri", "https://account.queue.invalid")
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{identity.base}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "a-secret-header")
        forget()

    return point


@EACH_CALL
@pytest.mark.parametrize("status", [400, 403])
def test_identity_endpoint_that_refuses_is_told_by_name(
    by_identity: Callable[[Service, Service], None], call: Callable[[Service], object], status: int
) -> None:
    """What it said stands in the error, the secret of its address doesn't; nothing was sent to the
    service, so no outcome is unknown.
    """
    refusal = told({"statusCode": status, "message": f"no identity here {TOKEN}"}, status)
    with serving(refusal) as identity, serving(told({})) as service:
        by_identity(service, identity)
        with pytest.raises(NoToken, match="The app gets no token for its identity: ") as raised:
            call(service)
        assert (raised.value.problem.code, raised.value.problem.kind) == (
            "TD-IDENTITY-001",
            "unavailable",
        )
        assert not isinstance(raised.value, OutcomeUnknown)
        text = raised.value.problem.model_dump_json() + str(raised.value)
        assert not [secret for secret in (TOKEN, "a-secret-header") if secret in text]
        assert service.asked == []


@pytest.mark.parametrize(
    "answering",
    [whole(b"<html>", 200), told({"error": "x"}), told([], 200), whole(b"", 200)],
    ids=["page", "error", "list", "empty"],
)
def test_identity_endpoint_that_answers_no_token_is_told_by_name(
    by_identity: Callable[[Service, Service], None], answering: Answering
) -> None:
    """A yes without a token is none."""
    with serving(answering) as identity, serving(told({})) as service:
        by_identity(service, identity)
        for call in CALLS.values():
            with pytest.raises(NoToken):
                call(service)
        assert service.asked == []


class Failing:
    """An identity with a fault."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        """Fails."""
        raise self._error


FAULTS: dict[str, Exception] = {
    "unavailable": CredentialUnavailableError("No managed identity endpoint found."),
    "not-signed-in": CredentialUnavailableError("Please run 'az login' to set up an account"),
    "refused": ClientAuthenticationError(message="AADSTS700016: no such application"),
    "500": HttpResponseError(message="500 from the identity endpoint"),
    "429": HttpResponseError(message="too many requests"),
    "away": ServiceRequestError("connection refused"),
    "no-program": FileNotFoundError("az"),
    "no-json": json.JSONDecodeError("Expecting value", "secret", 0),
    "later": TimeoutError("slow"),
}


@EACH_CALL
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_fault_of_the_identity_is_waited_for(
    connected: Callable[[Service], None],
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[[Service], object],
    fault: Exception,
) -> None:
    """Every kind of it, on every way: a blip of seconds must end no run."""
    with serving(told({})) as service:
        connected(service)
        monkeypatch.setenv("TUNEDROP_CREDENTIAL", "azure-cli")
        monkeypatch.delenv("DropStorage")
        monkeypatch.setenv("DropStorage__blobServiceUri", "https://account.blob.invalid")
        monkeypatch.setenv("DropStorage__queueServiceUri", "https://account.queue.invalid")
        forget()
        monkeypatch.setattr("azure.identity.AzureCliCredential", lambda: Failing(fault))
        with pytest.raises(NoToken, match=type(fault).__name__) as raised:
            call(service)
        assert raised.value.retry_after_s is None
        assert "az login" in raised.value.problem.fix
        assert service.asked == []


def test_identity_that_is_well_again_gives_its_token() -> None:
    """A fault is not kept."""
    told_token = threading.Event()

    class Recovering:
        def get_token(self, *_scopes: str, **_options: Any) -> Any:
            if told_token.is_set():
                return "token"
            told_token.set()
            raise CredentialUnavailableError("not yet")

    named = Named(Recovering(), "wait")
    with pytest.raises(NoToken):
        named.get_token("scope")
    assert named.get_token("scope") == "token"
