"""What storage answers when it can't, when it won't, and when it makes no sense; metadata that any
text fits into.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import ServiceRejected, ServiceUnavailable
from shared.services.storage import Container
from shared.services.storage_answers import METADATA_BYTES, ascii_of, text_of
from tests.azurite import azurite
from tests.unit.adapters.misbehaving import Asked, Service, connected, container, serving, whole

__all__ = ["azurite", "connected"]


@pytest.fixture
def client(azurite: str) -> ContainerClient:
    """An empty container on Azurite."""
    made = BlobServiceClient.from_connection_string(azurite).get_container_client(
        f"t{secrets.token_hex(6)}"
    )
    made.create_container()
    return made


WRITES: dict[str, Callable[[Container, str], object]] = {
    "put": lambda kept, _etag: kept.put("b", b"mine"),
    "put-new": lambda kept, _etag: kept.put_new("b", b"mine"),
    "swap": lambda kept, etag: kept.swap("b", b"mine", etag),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_blob_that_somebody_holds_is_not_written_now(
    client: ContainerClient, write: Callable[[Container, str], object]
) -> None:
    """A lease passes: it is waited for, and ends no run. A blob that stands there all the same is
    only that.
    """
    blob = client.upload_blob("b", b"theirs")
    lease = blob.acquire_lease()
    kept = Container(client)
    before = kept.facts("b")
    assert before is not None
    if write is WRITES["put-new"]:
        assert kept.put_new("b", b"mine") is False
    else:
        with pytest.raises(ServiceUnavailable, match="Lease"):
            write(kept, before.etag)
    lease.release()
    write(kept, before.etag)
    stored = kept.read("b")
    assert stored is not None
    assert stored.content == (b"theirs" if write is WRITES["put-new"] else b"mine")


def test_archived_blob_is_refused_by_name(client: ContainerClient) -> None:
    """It can't be read before somebody brings it back, and the error says how."""
    client.upload_blob("b", b"x" * 10).set_standard_blob_tier("Archive")
    kept = Container(client)
    facts = kept.facts("b")
    assert facts is not None
    reads: list[Callable[[], object]] = [
        lambda: kept.read("b"),
        lambda: list(kept.chunks("b", facts.etag, 0, 10)),
    ]
    for read in reads:
        with pytest.raises(ServiceRejected, match="409 BlobArchived") as raised:
            read()
        assert "set-tier" in raised.value.problem.fix


CODES: dict[str, tuple[int, str, type[Exception] | None]] = {
    "lease-lost": (412, "LeaseLost", ServiceUnavailable),
    "lease-missing": (412, "LeaseIdMissing", ServiceUnavailable),
    "lease-there": (409, "LeaseAlreadyPresent", ServiceUnavailable),
    "being-brought-back": (409, "BlobBeingRehydrated", ServiceUnavailable),
    "copying": (409, "PendingCopyOperation", ServiceUnavailable),
    "in-use": (409, "SystemInUse", ServiceUnavailable),
    "forbidden-yet": (403, "AuthorizationPermissionMismatch", ServiceUnavailable),
    "immutable": (409, "BlobImmutableDueToPolicy", ServiceRejected),
    "other-kind": (409, "InvalidBlobType", ServiceRejected),
    "new-to-us": (409, "SomethingNew", ServiceRejected),
    "too-much": (413, "RequestBodyTooLarge", ServiceRejected),
    "another": (412, "ConditionNotMet", None),
}


@pytest.mark.parametrize(("status", "code", "kind"), CODES.values(), ids=CODES.keys())
@pytest.mark.parametrize("write", [WRITES["put-new"], WRITES["swap"]], ids=["put-new", "swap"])
def test_conflict_is_told_by_its_code(
    connected: Callable[[Service], None],
    write: Callable[[Container, str], object],
    status: int,
    code: str,
    kind: type[Exception] | None,
) -> None:
    """409 and 412 have many meanings; only "there is one" and "another one" are values."""
    with serving(whole(b"", status, x_ms_error_code=code)) as service:
        connected(service)
        if kind is None:
            assert write(container(), "0x1") is False
        else:
            with pytest.raises(kind, match=code):
                write(container(), "0x1")


def test_blob_that_is_there_already_is_a_value(connected: Callable[[Service], None]) -> None:
    """Somebody else was first."""
    with serving(whole(b"", 409, x_ms_error_code="BlobAlreadyExists")) as service:
        connected(service)
        assert container().put_new("b", b"mine") is False


GOOD = {
    "Content-Range": "bytes 0-0/1",
    "ETag": '"0x1"',
    "x-ms-blob-type": "BlockBlob",
    "Last-Modified": "Wed, 21 Oct 2026 07:28:00 GMT",
    "Date": "Wed, 21 Oct 2026 07:28:00 GMT",
}
STRANGE = [
    "",
    "text",
    "-1",
    "9" * 400,
    "bytes a-b/c",
    "bytes 0-0/-5",
    "Thu, 99 Foo 99999999 99:99:99 GMT",
    "null",
]


@pytest.mark.parametrize("name", GOOD)
def test_strange_headers_of_a_blob_are_no_answer(
    connected: Callable[[Service], None], name: str
) -> None:
    """What a header holds is a fact or none; no other exception leaves the adapter."""
    for strange in STRANGE:
        headers = {
            key.replace("-", "_"): value for key, value in (GOOD | {name: strange}).items() if value
        }
        with serving(whole(b"x", 206, **headers)) as service:
            connected(service)
            reads: list[Callable[[], object]] = [
                lambda: container().read("b"),
                lambda: container().facts("b"),
            ]
            for read in reads:
                with suppress(ServiceUnavailable, ServiceRejected):
                    read()


PAGES: dict[str, bytes] = {
    "no-xml": b"<html>hello",
    "nothing": b"",
    "json": b"{}",
    "other-root": b"<Error/>",
    "no-name": b"<EnumerationResults><Blobs><Blob><Properties/></Blob></Blobs></EnumerationResults>",
    "no-properties": b"<EnumerationResults><Blobs><Blob><Name>b</Name></Blob></Blobs></EnumerationResults>",
    "size-is-text": b"<EnumerationResults><Blobs><Blob><Name>b</Name><Properties><Content-Length>much</Content-Length></Properties></Blob>"
    b"</Blobs></EnumerationResults>",
    "laughs": b'<!DOCTYPE a [<!ENTITY b "'
    + b"ha" * 100
    + b'">'
    + b'<!ENTITY c "&b;&b;">' * 1
    + b"]><a>&c;</a>",
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_strange_page_of_a_listing_is_no_answer(
    connected: Callable[[Service], None], page: bytes
) -> None:
    """Blobs without a name, a size or a time are none."""
    with serving(whole(page, Content_Type="application/xml")) as service:
        connected(service)
        with pytest.raises(ServiceUnavailable):
            list(container().list())


def ten_bytes(asked: Asked) -> None:
    """A blob of ten bytes, whatever was asked for."""
    whole(b"x" * 10, 206, Content_Range="bytes 0-9/10", ETag='"0x1"', x_ms_blob_type="BlockBlob")(
        asked
    )


def test_piece_of_another_size_is_no_piece(connected: Callable[[Service], None]) -> None:
    """Less, or more than was asked for: a scan and an upload must cover the pinned bytes
    exactly.
    """
    for asked_for in (5, 20):
        with serving(ten_bytes) as service:
            connected(service)
            with pytest.raises(ServiceUnavailable):
                list(container().chunks("b", "0x1", 0, asked_for))


@given(st.dictionaries(st.sampled_from(["summary", "report", "name"]), st.text(max_size=300)))
@example({"summary": "a\r\nX-Injected: 1"})
@example({"summary": "\ud800 alone"})
@example({"summary": "utf-8''already"})
@example({"summary": " blanks "})
@example({"summary": '{"model":"gpt-日本-é","share":"50%41"}'})
def test_metadata_is_ascii_and_gives_its_text_back(metadata: dict[str, str]) -> None:
    """Whatever a record holds: a model's name in any script, a line break, half of a character."""
    written = ascii_of(metadata)
    assert written is not None
    for value in written.values():
        assert value.isascii()
        assert value.isprintable()
        assert value == value.strip()
    assert {key: text_of(value) for key, value in written.items()} == metadata


def test_metadata_that_was_plain_stays_as_it_was() -> None:
    """Rows of earlier releases are read, and written, byte for byte."""
    row = '{"id":"travel-1","name":"travel","usd":0.5,"note":"50%25 \\\\u00e9"}'
    assert ascii_of({"summary": row}) == {"summary": row}
    assert text_of(row) == row


def test_metadata_without_room_is_left_out() -> None:
    """Azure takes 8 KB of names and values; the rest of the row is kept, and the blob holds all of
    it.
    """
    assert ascii_of({"summary": "é" * METADATA_BYTES, "report": "missing"}) == {"report": "missing"}
    assert ascii_of(None) is None


def test_name_in_any_script_is_kept_in_metadata(client: ContainerClient) -> None:
    """On the wire, too: written, listed, and read by its facts."""
    kept = Container(client)
    row = {"summary": '{"model": "gpt-日本-é\U0001f600"}'}
    assert kept.put_new("b", b"x", row)
    facts = kept.facts("b")
    assert facts is not None
    assert facts.metadata == row
    assert [found.metadata for found in kept.list()] == [row]
    assert kept.swap("b", b"y", facts.etag, row)
