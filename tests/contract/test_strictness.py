"""What the stand-in refuses: keys, versions, fields, operations; and in which words."""

from typing import Any

import httpx2
import openai
import pytest

from tests.contract.descriptions import Judge
from tests.contract.standin import StandIn, processed
from tunedrop.emulator.arm.routes import ACCOUNT_ID
from tunedrop.emulator.openai.additions import ADDITIONS
from tunedrop.emulator.world import API_KEY

KEY = {"api-key": API_KEY}
BEARER = {"authorization": "Bearer x"}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        pytest.param("/openai/v1/files", {}, 401, id="no key"),
        pytest.param("/openai/v1/files", {"api-key": "other"}, 401, id="wrong key"),
        pytest.param("/openai/v1/files", {"authorization": "Basic x"}, 401, id="no bearer"),
        pytest.param("/openai/v1/files", BEARER, 200, id="bearer"),
        pytest.param("/openai/v1/files", KEY, 200, id="key"),
        pytest.param("/openai/v1/files?api-version=2024-10-21", KEY, 400, id="version on v1"),
        pytest.param("/openai/files", KEY, 400, id="no version"),
        pytest.param("/openai/files?api-version=2023-05-15", KEY, 400, id="unknown version"),
        pytest.param(
            "/openai/files?api-version=2024-10-21&limit=1", KEY, 400, id="unknown parameter"
        ),
        pytest.param(
            "/openai/files?api-version=2024-10-21&purpose=fine-tune", KEY, 200, id="known parameter"
        ),
        pytest.param("/openai/v1/fine_tuning/jobs?limit=0", KEY, 400, id="limit"),
        pytest.param("/openai/v1/fine_tuning/jobs?after=ftjob-1", KEY, 400, id="after"),
        pytest.param("/openai/v1/assistants", KEY, 501, id="missing operation"),
        pytest.param(
            "/openai/uploads?api-version=2024-10-21",
            KEY,
            501,
            id="missing operation of the version surface",
        ),
        pytest.param(
            f"{ACCOUNT_ID}?api-version=2024-10-01", KEY, 401, id="key on the management plane"
        ),
        pytest.param(
            f"{ACCOUNT_ID}?api-version=2024-10-01", BEARER, 200, id="bearer on the management plane"
        ),
        pytest.param(
            f"{ACCOUNT_ID}?api-version=2024-10-21", BEARER, 400, id="version of the other plane"
        ),
        pytest.param(
            f"{ACCOUNT_ID}/raiPolicies?api-version=2024-10-01",
            BEARER,
            200,
            id="content filter policies",
        ),
        pytest.param(
            f"{ACCOUNT_ID}/raiPolicies?api-version=2023-05-01",
            BEARER,
            400,
            id="content filter policies before their version",
        ),
        pytest.param(
            f"{ACCOUNT_ID}/commitmentPlans?api-version=2024-10-01",
            BEARER,
            501,
            id="missing management operation",
        ),
        pytest.param("/elsewhere", KEY, 404, id="elsewhere"),
    ],
)
def test_request_is_answered_by_key_version_and_address(
    stand_in: StandIn, path: str, headers: dict[str, str], status: int
) -> None:
    """Each door has its answer."""
    assert stand_in.plain.get(stand_in.base + path, headers=headers).status_code == status


def test_missing_operation_names_what_exists(stand_in: StandIn) -> None:
    """A 501 lists the operations of its surface."""
    answer = stand_in.plain.get(f"{stand_in.base}/openai/v1/assistants", headers=KEY)
    assert "POST /fine_tuning/jobs/{id}/pause" in answer.json()["error"]["message"]


def test_error_has_the_shape_of_its_surface(stand_in: StandIn) -> None:
    """v1 answers in OpenAI's shape, the api-version surface in its own, unless the switch says
    otherwise.
    """

    def shape(path: str) -> set[str]:
        return set(stand_in.plain.get(stand_in.base + path, headers=KEY).json()["error"])

    assert shape("/openai/v1/files/file-1") == {"code", "message", "param", "type"}
    assert shape("/openai/files/file-1?api-version=2024-10-21") == {"code", "message"}
    stand_in.control("PUT", "switches", {"v1_error_shape": "azure"})
    assert shape("/openai/v1/files/file-1") == {"code", "message"}


def test_every_answer_carries_request_ids(stand_in: StandIn) -> None:
    """Success and refusal alike can be traced."""
    for path in (
        "/openai/v1/files",
        "/openai/v1/files/file-1",
        f"{ACCOUNT_ID}?api-version=2024-10-01",
    ):
        headers = stand_in.plain.get(stand_in.base + path, headers=KEY).headers
        assert headers["x-request-id"] == headers["apim-request-id"]


def test_entra_token_is_taken_in_place_of_a_key(stand_in: StandIn) -> None:
    """The Azure client's token provider works."""
    client = stand_in.azure(azure_ad_token_provider=lambda: "token")
    assert client.files.list().data == []


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b'{"a": ' * 5000], ids=["cut", "list", "null", "nested"]
)
def test_body_is_refused_when_it_is_no_object(stand_in: StandIn, body: bytes) -> None:
    """A body that is no JSON object is a 400."""
    answer = stand_in.plain.post(
        f"{stand_in.base}/openai/v1/fine_tuning/jobs", content=body, headers=KEY
    )
    assert answer.status_code == 400


def test_judge_finds_an_answer_that_the_description_does_not_allow(judge: Judge) -> None:
    """The judge is not blind: a field too many and a wrong state are both reported."""
    wrong: dict[str, Any] = {
        "id": "1",
        "object": "file",
        "bytes": 1,
        "created_at": 1,
        "filename": "a",
        "purpose": "fine-tune",
        "status": "gone",
    }
    request = httpx2.Request("GET", "http://127.0.0.1/openai/v1/files/1")
    judge.hook(httpx2.Response(200, json=wrong | {"extra": 1}, request=request))
    assert len(judge.wrong) == 2
    judge.wrong.clear()


def test_job_of_a_training_type_that_the_model_does_not_offer_is_refused(stand_in: StandIn) -> None:
    """The list of models says by which types each is trained, and a job is held to it."""
    file = processed(stand_in, stand_in.v1())
    with pytest.raises(openai.BadRequestError, match="does not support fine-tuning"):
        stand_in.v1().fine_tuning.jobs.create(
            model="gpt-35-turbo-0613",
            training_file=file,
            extra_body={"trainingType": "developerTier"},
        )


def test_every_addition_names_its_source() -> None:
    """What goes beyond a description says who saw it."""
    assert all(len(addition.source) > 10 for addition in ADDITIONS)
