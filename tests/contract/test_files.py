"""Files of the data plane, through the official clients on both surfaces."""

import openai
import pytest

from tests.contract.descriptions import Judge
from tests.contract.standin import API_KEY, StandIn, job, lines, running, upload


def test_file_is_pending_then_processed(stand_in: StandIn) -> None:
    """A file is pending after its upload and processed once its time has come."""
    client = stand_in.azure()
    file = upload(client)
    assert file.status == "pending"
    stand_in.advance(59)
    assert client.files.retrieve(file.id).status == "pending"
    stand_in.advance(1)
    assert client.files.retrieve(file.id).status == "processed"


def test_file_on_v1_is_the_same_file(stand_in: StandIn) -> None:
    """What one surface took, the other shows."""
    file = upload(stand_in.azure(), name="räume.jsonl")
    found = stand_in.v1().files.list().data
    assert [(one.id, one.filename, one.bytes) for one in found] == [
        (file.id, "räume.jsonl", len(lines()))
    ]


def test_file_content_is_what_was_sent(stand_in: StandIn) -> None:
    """Content comes back byte for byte, in chunks or not."""
    data = lines(5000)
    file = upload(stand_in.v1(), data)
    assert stand_in.v1().files.content(file.id).read() == data


def test_file_list_is_newest_first_and_paged_on_v1(stand_in: StandIn) -> None:
    """v1 pages its files, newest first."""
    client = stand_in.v1()
    made = [upload(client, name=f"{number}.jsonl").id for number in range(3)]
    first = client.files.list(limit=2)
    assert [file.id for file in first.data] == [made[2], made[1]]
    assert [file.id for file in client.files.list(limit=2, after=made[1]).data] == [made[0]]


def test_file_is_gone_when_deleted(stand_in: StandIn) -> None:
    """A deleted file is not found, and deleting it again says so."""
    client = stand_in.azure()
    file = upload(client)
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)
    with pytest.raises(openai.NotFoundError):
        client.files.delete(file.id)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"not json\n", "Line 1 is not a JSON object", id="no JSON"),
        pytest.param(
            lines() + b'\n{"prompt": "a"}\n', "Line 13 holds no list of messages", id="no messages"
        ),
        pytest.param(b"[1]\n", "Line 1 is not a JSON object", id="no object"),
        pytest.param(b"[" * 100_000, "Line 1 is not a JSON object", id="deeply nested"),
    ],
)
def test_file_ends_in_error_when_it_is_no_training_data(
    stand_in: StandIn, data: bytes, words: str
) -> None:
    """A file that can't be read ends in error and tells the line, not the text."""
    client = stand_in.v1()
    file = upload(client, data)
    stand_in.advance(60)
    found = client.files.retrieve(file.id)
    assert found.status == "error"
    assert words in (found.status_details or "")
    with pytest.raises(openai.ConflictError, match="its status is error"):
        client.fine_tuning.jobs.create(model="gpt-4.1", training_file=file.id)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        pytest.param({"file_max_bytes": 1000}, "larger than 1000 bytes", id="size of one"),
        pytest.param({"files_max": 1}, "maximum of 1 files", id="number"),
        pytest.param({"files_max_bytes": 3000}, "exceed 3000 bytes", id="size of all"),
        pytest.param({"uploads_per_second": 1}, "call rate limit", id="rate"),
    ],
)
def test_file_is_refused_beyond_a_limit(judge: Judge, limits: dict[str, int], words: str) -> None:
    """Size, number, sum and rate of uploads are limited."""
    with running(judge, limits=limits) as stand_in:
        client = stand_in.azure()
        if "file_max_bytes" not in limits:
            upload(client)
        with pytest.raises(openai.APIStatusError, match=words):
            upload(client)
        assert stand_in.entries("files.create")[-1]["committed"] is False


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        pytest.param([("purpose", None, None, b"fine-tune")], "has a file", id="no file"),
        pytest.param(
            [("file", "a.jsonl", "text/plain", b"{}"), ("purpose", None, None, b"assistants")],
            "purpose",
            id="other purpose",
        ),
        pytest.param(
            [("file", "a.jsonl", None, b"{}"), ("purpose", None, None, b"fine-tune")],
            "no or an empty content type",
            id="no type",
        ),
        pytest.param(
            [("file", "a.jsonl", "text/plain", b""), ("purpose", None, None, b"fine-tune")],
            "empty",
            id="empty",
        ),
        pytest.param(
            [("other", None, None, b"1")], "Unknown in the body: other", id="unknown field"
        ),
    ],
)
def test_upload_is_refused_when_the_form_is_wrong(
    stand_in: StandIn, parts: list[tuple[str, str | None, str | None, bytes]], words: str
) -> None:
    """A wrong form is a 400 that names what is wrong."""
    text = b""
    for name, filename, kind, data in parts:
        text += f'--b\r\nContent-Disposition: form-data; name="{name}"'.encode()
        text += f'; filename="{filename}"'.encode() if filename else b""
        text += f"\r\nContent-Type: {kind}".encode() if kind else b""
        text += b"\r\n\r\n" + data + b"\r\n"
    headers = {"api-key": API_KEY, "content-type": "multipart/form-data; boundary=b"}
    answer = stand_in.plain.post(
        f"{stand_in.base}/openai/files?api-version=2024-10-21",
        content=text + b"--b--\r\n",
        headers=headers,
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalidPayload"
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "text",
    [b"", b"--b", b"--b\r\n\r\n", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--"],
    ids=repr,
)
def test_upload_is_refused_when_the_multipart_is_broken(stand_in: StandIn, text: bytes) -> None:
    """A broken multipart body is a 400, not a hang or a 500."""
    headers = {"api-key": API_KEY, "content-type": "multipart/form-data; boundary=b"}
    answer = stand_in.plain.post(f"{stand_in.base}/openai/v1/files", content=text, headers=headers)
    assert answer.status_code == 400


def test_upload_accepts_mark_and_line_ends_of_windows(stand_in: StandIn) -> None:
    """A byte-order mark and CRLF are read as the service reads them."""
    client = stand_in.v1()
    data = b"\xef\xbb\xbf" + lines(10).replace(b"\n", b"\r\n") + b"\r\n\r\n"
    assert job(stand_in, client, data).status == "pending"
