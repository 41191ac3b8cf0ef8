"""`tunedrop drop` against a storage account: what is sent, in which order, and what is refused before anything is."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from shared.models.drop import drop_of
from tests.azurite import azurite
from tests.data import a_training_set
from tunedrop.cli.account import REPORT_FILES, Account
from tunedrop.cli.app import main
from tunedrop.local.session import Addresses, remembered

__all__ = ["azurite"]

type Drop = Callable[..., tuple[int, str, str]]


@pytest.fixture
def container(azurite: str) -> ContainerClient:
    """A container of this test's own."""
    made = BlobServiceClient.from_connection_string(azurite).get_container_client(f"cli-{uuid.uuid4().hex}")
    made.create_container()
    return made


@pytest.fixture
def drop(
    azurite: str, container: ContainerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Drop:
    """Runs `tunedrop drop` in an empty folder with the files of a drop beside it; answers exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name, content in {"mine.jsonl": a_training_set("mine"), "my_validation.jsonl": a_training_set("v", 2), "job.json": b"{}"}.items():
        (tmp_path / name).write_bytes(content)

    def run(*arguments: str, connection_string: str = azurite) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["drop", "--connection-string", connection_string, "--container", str(container.container_name), *arguments])
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return run


def blobs(container: ContainerClient) -> list[str]:
    """The names of the blobs."""
    return [str(blob.name) for blob in container.list_blobs()]


def test_file_alone_is_sent_whole_and_its_run_told(drop: Drop, container: ContainerClient, tmp_path: Path) -> None:
    """One JSON document: name, run id as the app will have it, blobs."""
    code, out, _ = drop("mine.jsonl", "--json")
    sent = container.get_blob_client("mine.jsonl")
    assert sent.download_blob().readall() == (tmp_path / "mine.jsonl").read_bytes()
    begun = drop_of(str(container.account_name), str(container.container_name), "mine.jsonl", str(sent.get_blob_properties().etag))
    assert begun is not None
    assert (code, json.loads(out)) == (0, {"run": "mine", "run_id": begun.run_id, "blobs": ["mine.jsonl"]})


def test_starting_blob_is_the_last_to_arrive(drop: Drop, container: ContainerClient) -> None:
    """Validation set and job.json are there when the run begins."""
    code, out, err = drop("mine.jsonl", "my_validation.jsonl", "--job", "job.json", "--run", "in-order")
    expected = ["in-order/validation_set.jsonl", "in-order/job.json", "in-order/training_set.jsonl"]
    assert [line.partition(f"{container.container_name}/")[2] for line in err.splitlines()] == expected
    assert (code, out.startswith("The run is in-order-"), sorted(blobs(container))) == (0, True, sorted(expected))


def test_second_drop_of_a_name_takes_the_place_of_the_first(drop: Drop, container: ContainerClient, tmp_path: Path) -> None:
    """Another upload is another run."""
    first = json.loads(drop("mine.jsonl", "--json")[1])["run_id"]
    (tmp_path / "mine.jsonl").write_bytes(b"other")
    second = json.loads(drop("mine.jsonl", "--json")[1])["run_id"]
    assert first != second
    assert container.download_blob("mine.jsonl").readall() == b"other"


def test_validation_set_of_an_earlier_drop_is_not_mixed_in(drop: Drop, container: ContainerClient) -> None:
    """Exit code 2 and nothing sent, where a blob lies that would join the drop."""
    container.upload_blob("mixed/validation_set.jsonl", b"{}")
    code, out, err = drop("mine.jsonl", "--job", "job.json", "--run", "mixed")
    assert (code, out, blobs(container)) == (2, "", ["mixed/validation_set.jsonl"])
    assert "mixed/validation_set.jsonl is there from an earlier drop and would join this one." in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["gone.jsonl"], "error: There is no file gone.jsonl.", id="no file"),
        pytest.param(["mine.jsonl", "--run", "Not\x1bA Name"], "error: `Not⟦U+001B⟧A Name` can't be a run's name:", id="bad name"),
        pytest.param(["mine.jsonl", "--job", "bad.json"], "error: bad.json: job.json: ", id="unknown field in the job file"),
        pytest.param(
            ["mine.jsonl", "--job", "later.json"],
            "error: later.json: job.json asks for what is not supported yet: method.",
            id="what this release can't do",
        ),
        pytest.param(["mine.jsonl", "--follow"], "error: --follow needs --api and --key", id="no API to follow it"),
        pytest.param(
            ["mine.jsonl", "--account-url", "https://a.example"],
            "error: Give --connection-string or --account-url, not both.",
            id="two accounts",
        ),
    ],
)
def test_nothing_is_sent_where_the_drop_is_refused(
    drop: Drop, container: ContainerClient, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    """Names, job.json and addresses are checked first; exit code 2."""
    (tmp_path / "bad.json").write_text('{"modle": "x"}')
    (tmp_path / "later.json").write_text('{"method": "dpo"}')
    code, out, err = drop(*arguments, "--json")
    assert (code, out, blobs(container)) == (2, "", [])
    assert err.startswith(sentence)


@pytest.mark.parametrize(
    ("connection_string", "code", "sentence"),
    [
        pytest.param("secret", 2, "error: The connection string is not one of Azure Storage.\n", id="no connection string"),
        pytest.param("{azurite}", 3, "error: The storage account has no container nowhere. Name another", id="no container"),
        pytest.param("{other key}", 3, "error: The storage account refuses", id="wrong key"),
    ],
)
def test_account_that_takes_no_drop_ends_the_command(drop: Drop, azurite: str, connection_string: str, code: int, sentence: str) -> None:
    """One sentence that names what to change, and nothing of the secret."""
    key = azurite.partition("AccountKey=")[2].partition(";")[0]
    text = connection_string.format_map({"azurite": azurite, "other key": azurite.replace(key, "YWJj")})
    ended, out, err = drop("mine.jsonl", *(["--container", "nowhere"] if text == azurite else []), connection_string=text)
    assert (ended, out) == (code, "")
    assert err.startswith(sentence)
    assert "secret" not in err
    assert "YWJj" not in err


def test_drop_goes_to_the_stack_that_runs_here(
    azurite: str, container: ContainerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without an account, the addresses that `local` has remembered are taken; without those, the command says so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.jsonl").write_bytes(b"{}")
    (tmp_path / ".tunedrop").mkdir()
    arguments = ["drop", "mine.jsonl", "--container", str(container.container_name)]
    with remembered(tmp_path / ".tunedrop", Addresses("http://127.0.0.1:9/api", "k", azurite, "")), pytest.raises(SystemExit) as ended:
        main(arguments)
    assert (ended.value.code, blobs(container)) == (0, ["mine.jsonl"])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 3
    assert capsys.readouterr().err.startswith("error: Where to? Give --connection-string or --account-url. No TuneDrop is running here.")


def test_report_is_copied_with_its_known_files_only(azurite: str, container: ContainerClient, tmp_path: Path) -> None:
    """Other blobs beside the report are not written to this disk."""
    for name in (*REPORT_FILES[:2], "evil.sh", "deeper/report.html"):
        container.upload_blob(f"run/run-1/{name}", name.encode())
    page = Account.named_by(azurite).fetch_report(f"{container.container_name}/run/run-1/report.html", tmp_path / "copy")
    assert page == tmp_path / "copy" / "report.html"
    found: dict[str, Any] = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"report.html": b"report.html", "report.json": b"report.json"}


def test_report_that_is_not_there_is_none(azurite: str, container: ContainerClient, tmp_path: Path) -> None:
    """A missing page is no error."""
    assert Account.named_by(azurite).fetch_report(f"{container.container_name}/run/run-1/report.html", tmp_path) is None


@pytest.mark.parametrize("url", ["http://a.blob.core.windows.net", "a.blob.core.windows.net", "https://"])
def test_account_url_is_https_or_of_this_machine(url: str) -> None:
    """A token of `az login` is never sent in the clear."""
    from tunedrop.cli.output import Trouble

    with pytest.raises(Trouble, match="blob endpoint"):
        Account.at(url)
