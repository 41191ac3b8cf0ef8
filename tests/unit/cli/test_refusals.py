"""Arguments that can't work: one sentence on stderr, nothing on stdout, and the exit code of
docs/cli.md.
"""

import os
from pathlib import Path

import pytest

from tunedrop.cli.app import main

STORAGE = "AccountName=a;AccountKey=YWJj;BlobEndpoint=http://127.0.0.1:1/a;"
START = (
    "Start TuneDrop with `tunedrop local` in another terminal, or name its API with --api "
    "and --key."
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A current folder with a file to drop and nothing that runs, and no setting of whoever runs
    the tests.
    """
    (tmp_path / "my.jsonl").write_text("{}\n")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "training_set.jsonl").write_text("{}\n")
    (tmp_path / "bad" / "job.json").write_text("{")
    (tmp_path / "plan.json").write_text(
        '[{"on": "*.list", "then": {"lag_s": 2}}, {"on": "*.list", "when": "soon", "then": '
        '{"lag_s": 2}}]'
    )
    for name in [name for name in os.environ if name.startswith("TUNEDROP_") or name == "AZURITE"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["tunedrop"])


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        pytest.param("runs", 3, f"No TuneDrop is running here. {START}", id="runs without a stack"),
        pytest.param(
            "cancel my-1a2b3c4d",
            3,
            f"No TuneDrop is running here. {START}",
            id="cancel without a stack",
        ),
        pytest.param(
            "runs --api http://127.0.0.1:1/api",
            3,
            f"The API does not answer (ConnectError). {START}",
            id="nobody listens",
        ),
        pytest.param(
            "runs --api app.example/api",
            2,
            "The address of the API must begin with https:// or http://, and end with /api.",
            id="an address without scheme",
        ),
        pytest.param(
            "runs --watch --json --api http://127.0.0.1:1/api",
            2,
            "--watch with --json needs the id of one run.",
            id="a list that never ends as JSON",
        ),
        pytest.param(
            "drop nope.jsonl", 2, "There is no file nope.jsonl.", id="drop of a missing file"
        ),
        pytest.param(
            "drop my.jsonl",
            3,
            (
                "No TuneDrop is running here. Start it with `tunedrop local` in another "
                "terminal, or name the storage account of one with --connection-string or "
                "--account-url."
            ),
            id="drop without a place",
        ),
        pytest.param(
            "drop my.jsonl --connection-string rubbish",
            2,
            "The connection string is not one of Azure Storage.",
            id="no connection string",
        ),
        pytest.param(
            f"drop my.jsonl --connection-string {STORAGE} --account-url https://a.example",
            2,
            "Give --connection-string or --account-url, not both.",
            id="two places",
        ),
        pytest.param(
            "drop my.jsonl --account-url http://a.example",
            2,
            (
                "The account's URL must be its blob endpoint, such as "
                "https://<account>.blob.core.windows.net."
            ),
            id="an account without TLS",
        ),
        pytest.param(
            f"drop my.jsonl --follow --connection-string {STORAGE}",
            2,
            "--follow needs --api and --key if the drop does not go to the stack on this machine.",
            id="nobody to follow with",
        ),
        pytest.param(
            "local --ports free --azurite python3 --data my.jsonl",
            2,
            "The data folder {here}/my.jsonl can't be used: File exists. Name another with --data.",
            id="data folder that is a file",
        ),
        pytest.param(
            "local --faults nope.json",
            2,
            "nope.json can't be read: No such file or directory.",
            id="no plan of faults",
        ),
        pytest.param(
            "local --faults my.jsonl",
            2,
            "my.jsonl holds no list of faults.",
            id="a plan that is no list",
        ),
        pytest.param(
            "local --faults bad/job.json",
            2,
            "bad/job.json is not valid JSON in UTF-8.",
            id="a plan that is no JSON",
        ),
        pytest.param(
            "local --faults plan.json",
            2,
            "plan.json, fault 2: `when` is before or after_commit; `about` is a text.",
            id="a plan with a mistake in its second fault",
        ),
    ],
)
def test_command_ends_with_its_sentence(
    arguments: str, code: int, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code and sentence stand in the table; stdout stays empty."""
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    told = capsys.readouterr()
    assert (ended.value.code, told.out, told.err) == (
        code,
        "",
        f"error: {sentence.replace('{here}', str(tmp_path.resolve()))}\n",
    )


def test_job_file_that_the_app_would_reject_is_refused_before_anything_is_sent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The message names the file; nobody listens at this account, and nobody is asked."""
    with pytest.raises(SystemExit) as ended:
        main(["drop", "bad", "--connection-string", STORAGE])
    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert told.err.startswith("error: bad/job.json: ")


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "nonsense",
        "drop",
        "cancel",
        "local --port 65536",
        "local --port abc",
        "local --ports some",
    ],
)
def test_usage_error_ends_with_two(arguments: str) -> None:
    """Missing or impossible arguments are the caller's error."""
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2
