"""`tunedrop drop` against a storage account: what is sent, in which order, and what is refused
before anything is.
"""

import gzip
import io
import json
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from shared.models.drop import drop_of
from tests.azurite import azurite
from tests.data import a_training_set
from tunedrop.cli.account import Account
from tunedrop.cli.app import main
from tunedrop.local.session import Addresses, remembered

__all__ = ["azurite"]

type Drop = Callable[..., tuple[int, str, str]]


@pytest.fixture
def container(azurite: str) -> ContainerClient:
    """A container of this test's own."""
    made = BlobServiceClient.from_connection_string(azurite).get_container_client(
        f"cli-{uuid.uuid4().hex}"
    )
    made.create_container()
    return made


@pytest.fixture
def drop(
    azurite: str,
    container: ContainerClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Drop:
    """Runs `tunedrop drop` in an empty folder with the files of a drop beside it; answers exit
    code, stdout and stderr.
    """
    monkeypatch.chdir(tmp_path)
    for name, content in {
        "mine.jsonl": a_training_set("mine"),
        "my_validation.jsonl": a_training_set("v", 2),
        "job.json": b"{}",
    }.items():
        (tmp_path / name).write_bytes(content)

    def run(*arguments: str, connection_string: str = azurite) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(
                [
                    "drop",
                    "--connection-string",
                    connection_string,
                    "--container",
                    str(container.container_name),
                    *arguments,
                ]
            )
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return run


def blobs(container: ContainerClient) -> list[str]:
    """The names of the blobs."""
    return [str(blob.name) for blob in container.list_blobs()]


def test_file_alone_is_sent_whole_and_its_run_told(
    drop: Drop, container: ContainerClient, tmp_path: Path
) -> None:
    """One JSON document: name, run id as the app will have it, blobs."""
    code, out, _ = drop("mine.jsonl", "--json")
    sent = container.get_blob_client("mine.jsonl")
    assert sent.download_blob().readall() == (tmp_path / "mine.jsonl").read_bytes()
    begun = drop_of(
        str(container.account_name),
        str(container.container_name),
        "mine.jsonl",
        str(sent.get_blob_properties().etag),
    )
    assert begun is not None
    assert (code, json.loads(out)) == (
        0,
        {"run": "mine", "run_id": begun.run_id, "blobs": ["mine.jsonl"], "replaced": []},
    )


def test_starting_blob_is_the_last_to_arrive(drop: Drop, container: ContainerClient) -> None:
    """Validation set and job.json are there when the run begins."""
    code, out, err = drop(
        "mine.jsonl", "my_validation.jsonl", "--job", "job.json", "--run", "in-order"
    )
    expected = ["in-order/validation_set.jsonl", "in-order/job.json", "in-order/training_set.jsonl"]
    assert [
        line.partition(f"{container.container_name}/")[2] for line in err.splitlines()
    ] == expected
    assert (code, out.startswith("The run is in-order-"), sorted(blobs(container))) == (
        0,
        True,
        sorted(expected),
    )


def test_second_drop_of_a_name_takes_the_place_of_the_first(
    drop: Drop, container: ContainerClient, tmp_path: Path
) -> None:
    """Another upload is another run, and what it replaces is told."""
    first = json.loads(drop("mine.jsonl", "--json")[1])
    (tmp_path / "mine.jsonl").write_bytes(a_training_set("other"))
    _, out, err = drop("mine.jsonl", "--json")
    second = json.loads(out)
    assert first["run_id"] != second["run_id"]
    assert (first["replaced"], second["replaced"]) == ([], ["mine.jsonl"])
    assert "mine.jsonl, in place of an earlier drop's" in err
    assert container.download_blob("mine.jsonl").readall() == a_training_set("other")


def test_validation_set_of_an_earlier_drop_is_not_mixed_in(
    drop: Drop, container: ContainerClient
) -> None:
    """Exit code 2 and nothing sent, where a blob lies that would join the drop."""
    container.upload_blob("mixed/validation_set.jsonl", b"{}")
    code, out, err = drop("mine.jsonl", "--job", "job.json", "--run", "mixed")
    assert (code, out, blobs(container)) == (2, "", ["mixed/validation_set.jsonl"])
    assert (
        "mixed/validation_set.jsonl is there from an earlier drop and would join this one." in err
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["gone.jsonl"], "error: There is no file gone.jsonl.", id="no file"),
        pytest.param(
            ["mine.jsonl", "--run", "Not\x1bA Name"],
            "error: `Not⟦U+001B⟧A Name` can't be a run's name:",
            id="bad name",
        ),
        pytest.param(
            ["mine.jsonl", "--job", "bad.json"],
            "error: bad.json: job.json: ",
            id="unknown field in the job file",
        ),
        pytest.param(
            ["mine.jsonl", "--job", "later.json"],
            "error: later.json: job.json has fields that are not supported yet: method.",
            id="what this release can't do",
        ),
        pytest.param(
            ["mine.jsonl", "--follow"],
            "error: --follow needs --api and --key",
            id="no API to follow it",
        ),
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
        pytest.param(
            "secret",
            2,
            "error: The connection string is not one of Azure Storage.\n",
            id="no connection string",
        ),
        pytest.param(
            "{azurite}",
            3,
            "error: The storage account has no container nowhere. Name another",
            id="no container",
        ),
        pytest.param("{other key}", 3, "error: The storage account refuses", id="wrong key"),
    ],
)
def test_account_that_takes_no_drop_ends_the_command(
    drop: Drop, azurite: str, connection_string: str, code: int, sentence: str
) -> None:
    """One sentence that names what to change, and nothing of the secret."""
    key = azurite.partition("AccountKey=")[2].partition(";")[0]
    text = connection_string.format_map(
        {"azurite": azurite, "other key": azurite.replace(key, "YWJj")}
    )
    ended, out, err = drop(
        "mine.jsonl",
        *(["--container", "nowhere"] if text == azurite else []),
        connection_string=text,
    )
    assert (ended, out) == (code, "")
    assert err.startswith(sentence)
    assert "secret" not in err
    assert "YWJj" not in err


def test_development_storage_is_azurite_on_its_default_port() -> None:
    """The short form that Functions and Storage Explorer know."""
    assert Account.named_by("UseDevelopmentStorage=true").name == "devstoreaccount1"


def test_drop_goes_to_the_stack_that_runs_here(
    azurite: str,
    container: ContainerClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without an account, the addresses that `local` has remembered are taken; without those, the
    command says so.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.jsonl").write_bytes(b"{}")
    (tmp_path / ".tunedrop").mkdir()
    monkeypatch.setenv("TUNEDROP_LOCAL_DATA", str(tmp_path / ".tunedrop"))
    arguments = ["drop", "mine.jsonl", "--container", str(container.container_name)]
    with (
        remembered(tmp_path / ".tunedrop", Addresses("http://127.0.0.1:9/api", "k", azurite, "")),
        pytest.raises(SystemExit) as ended,
    ):
        main(arguments)
    assert (ended.value.code, blobs(container)) == (0, ["mine.jsonl"])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 3
    assert capsys.readouterr().err.startswith("error: No TuneDrop is running here. Start it with `")


@pytest.mark.parametrize(
    "url", ["http://a.blob.core.windows.net", "a.blob.core.windows.net", "https://"]
)
def test_account_url_is_https_or_of_this_machine(url: str) -> None:
    """A token of `az login` is never sent in the clear."""
    from tunedrop.cli.output import Trouble

    with pytest.raises(Trouble, match="blob endpoint"):
        Account.at(url)


def a_zip() -> bytes:
    """A zip archive that holds a good training file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("training_set.jsonl", a_training_set("zip"))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        pytest.param(
            "a.zip",
            a_zip(),
            "error: a.zip: The file is a zip archive or an office document, not UTF-8 text.",
            id="zip",
        ),
        pytest.param(
            "a.csv",
            b"prompt,completion\n" + b"Hello,Hi\n" * 30,
            "error: a.csv is no JSON Lines. Line 1: ",
            id="csv",
        ),
        pytest.param("a.txt", b"Hello, how are you?\n" * 30, "error: a.txt", id="text"),
        pytest.param("a.jsonl", b"", "error: a.jsonl", id="an empty file"),
        pytest.param(
            "a.json",
            json.dumps([{"messages": []}] * 30, indent=2).encode(),
            "error: a.json",
            id="an indented array",
        ),
        pytest.param(
            "a.jsonl", a_training_set("x").decode().encode("utf-16"), "error: a.jsonl", id="UTF-16"
        ),
        pytest.param(
            "a.jsonl",
            gzip.compress(a_training_set("x")),
            "error: a.jsonl: The file is a gzip archive",
            id="an unnamed archive",
        ),
        pytest.param(
            "a.jsonl.gz",
            gzip.compress(a_training_set("x"))[:-9],
            "error: a.jsonl.gz: The gzip archive can't be",
            id="a cut archive",
        ),
        pytest.param(
            "a.jsonl.gz",
            gzip.compress(b"Hello, how are you?\n" * 30),
            "error: a.jsonl.gz",
            id="an archive of text",
        ),
    ],
)
def test_what_is_no_json_lines_is_refused_with_the_reason(
    drop: Drop, container: ContainerClient, tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    """Exit code 2, nothing sent, and what lay there before stays."""
    container.upload_blob("a.jsonl", b"the earlier drop")
    (tmp_path / name).write_bytes(content)
    code, out, err = drop(name)
    assert (code, out, blobs(container)) == (2, "", ["a.jsonl"])
    assert container.download_blob("a.jsonl").readall() == b"the earlier drop"
    assert err.startswith(sentence)
    assert "Nothing was sent" in err


def test_data_with_faults_is_sent_for_its_report(
    drop: Drop, container: ContainerClient, tmp_path: Path
) -> None:
    """Most lines are JSON objects: what is wrong in them, the run's report tells."""
    (tmp_path / "broken.jsonl").write_bytes(a_training_set("b") + b"not JSON\n" * 3)
    assert drop("broken.jsonl")[0] == 0
    assert blobs(container) == ["broken.jsonl"]


def test_part_files_become_one_training_file(
    drop: Drop, container: ContainerClient, tmp_path: Path
) -> None:
    """In their order, packed ones unpacked, each with its last line end; parts that no commit names
    are left out and told.
    """
    lines = a_training_set("part").splitlines(keepends=True)
    folder = tmp_path / "desk" / "training"
    folder.mkdir(parents=True)
    (folder / "part-0.json").write_bytes(b"".join(lines[:4]).removesuffix(b"\n"))
    (folder / "part-1.json.gz").write_bytes(gzip.compress(b"".join(lines[4:])))
    (folder / "part-2.json").write_bytes(b"stale")
    (folder / "_committed_1").write_text(
        json.dumps({"added": ["part-0.json", "part-1.json.gz"], "removed": []})
    )
    code, out, err = drop("desk", "--json")
    assert (code, json.loads(out)["blobs"]) == (0, ["desk/training_set.jsonl"])
    assert container.download_blob("desk/training_set.jsonl").readall() == b"".join(lines)
    assert "note Part files that are not read, because no commit names them: 1." in err


def test_incomplete_folder_of_part_files_is_not_sent(
    drop: Drop, container: ContainerClient, tmp_path: Path
) -> None:
    """A part that a commit names and that is missing is an error, as `check` has it."""
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / "part-0.json").write_bytes(a_training_set("part"))
    (folder / "_committed_1").write_text(
        json.dumps({"added": ["part-0.json", "part-1.json"], "removed": []})
    )
    code, _, err = drop("desk")
    assert (code, blobs(container)) == (2, [])
    assert "Part files that a commit names, but that are missing: 1." in err


def test_pattern_joins_what_it_matches(
    drop: Drop, container: ContainerClient, tmp_path: Path
) -> None:
    """The files of one role are one file, in the order of their names."""
    for number in (2, 1):
        (tmp_path / f"day-{number}.jsonl").write_bytes(a_training_set(f"day {number}"))
    code, _, _ = drop("day-*.jsonl", "--run", "days")
    assert (code, blobs(container)) == (0, ["days/training_set.jsonl"])
    sent = container.download_blob("days/training_set.jsonl").readall()
    assert sent == a_training_set("day 1") + a_training_set("day 2")


def test_standard_input_is_a_training_file(
    drop: Drop, container: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` with a name."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(a_training_set("piped"))))
    assert drop("-", "--run", "piped")[0] == 0
    assert container.download_blob("piped.jsonl").readall() == a_training_set("piped")


def test_archive_is_sent_as_the_app_takes_it(
    drop: Drop, container: ContainerClient, tmp_path: Path
) -> None:
    """The training file packed where a packed one starts a run, else unpacked; the validation file
    always unpacked.
    """
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(a_training_set("p")))
    (tmp_path / "packed_validation.jsonl.gz").write_bytes(gzip.compress(a_training_set("v", 2)))
    assert drop("packed.jsonl.gz", "packed_validation.jsonl.gz")[0] == 0
    assert container.download_blob("packed/validation_set.jsonl").readall() == a_training_set(
        "v", 2
    )
    taken = drop_of("", "", "packed/training_set.jsonl.gz", "") is not None
    sent = container.download_blob(f"packed/training_set.jsonl{'.gz' if taken else ''}").readall()
    assert (gzip.decompress(sent) if taken else sent) == a_training_set("p")
