"""A container is made when it is first needed; a ledger that was lost is not."""

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ResourceTypes,
    generate_account_sas,
)

from shared import settings
from shared.runs.ledger import Ledger
from shared.services import storage
from shared.services.storage import Container, ContainerMissing
from tests.azurite import azurite
from tests.builders import a_record

__all__ = ["azurite"]


@pytest.fixture
def account(azurite: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[BlobServiceClient]:
    """A storage whose containers for TuneDrop have names that nobody has used."""
    mark = secrets.token_hex(6)
    monkeypatch.setenv("DropStorage", azurite)
    for kind in ("TRAINING", "REPORTS", "LEDGER"):
        monkeypatch.setenv(f"TUNEDROP_{kind}_CONTAINER", f"{kind.lower()}-{mark}")
    forget()
    with BlobServiceClient.from_connection_string(azurite) as service:
        yield service
    forget()


def forget() -> None:
    """What the app caches of its settings is read anew."""
    for cached in (settings.settings, settings.storage_connection, vars(storage)["_service"]):
        cached.cache_clear()


FIRST_USES: dict[str, Callable[[Container], object]] = {
    "put": lambda container: container.put("a", b""),
    "put_new": lambda container: container.put_new("a", b""),
    "list": lambda container: list(container.list()),
    "make_if_missing": lambda container: container.make_if_missing(),
}
CLAIM: dict[str, Callable[[Container], object]] = {
    "claim": lambda container: Ledger(container).claim(a_record())
}


@pytest.mark.parametrize("use", FIRST_USES)
@pytest.mark.parametrize(
    "which",
    [storage.training, storage.reports, storage.ledger],
    ids=["training", "reports", "ledger"],
)
def test_missing_container_is_made_at_first_use(
    account: BlobServiceClient, which: Callable[[], Container], use: str
) -> None:
    """Nobody else makes it on Azure or under Core Tools, and the first drop would end in the poison
    queue.
    """
    FIRST_USES[use](which())
    assert account.get_container_client(which().name).exists()


def test_first_run_is_claimed_in_a_ledger_without_a_container(account: BlobServiceClient) -> None:
    """Once, as ever."""
    ledger, record = Ledger(storage.ledger()), a_record()
    assert (ledger.claim(record), ledger.claim(record)) == (True, False)


@pytest.mark.parametrize("use", FIRST_USES | CLAIM)
def test_ledger_that_was_lost_is_not_made_anew(account: BlobServiceClient, use: str) -> None:
    """Its reports are there: with an empty ledger the next sweep would train every drop again."""
    storage.reports().put("travel-1/report.html", b"")
    with pytest.raises(ContainerMissing, match="was lost") as missing:
        (FIRST_USES | CLAIM)[use](storage.ledger())
    assert missing.value.problem.code == "TD-STORAGE-002"
    assert not account.get_container_client(storage.ledger().name).exists()


def test_container_that_may_not_be_made_is_named(azurite: str) -> None:
    """The app's identity may have a role on the containers only: it says which one is missing."""
    account = BlobServiceClient.from_connection_string(azurite)
    signature = generate_account_sas(
        str(account.account_name),
        account.credential.account_key,
        ResourceTypes(object=True),
        AccountSasPermissions(read=True, write=True),
        datetime.now(UTC) + timedelta(hours=1),
    )
    client = BlobServiceClient(
        account.url, credential=signature, retry_total=0
    ).get_container_client("nowhere")
    with pytest.raises(ContainerMissing, match=r"the container nowhere is missing: .*403"):
        Container(client).put("a", b"")
