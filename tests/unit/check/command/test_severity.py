"""Errors and warnings of the command: what a probable secret is, and what is told of findings that
are counted only.
"""

import json
from pathlib import Path

import pytest

from tests.data import a_training_set
from tests.unit.check.command.builders import BAD_ROLE, a_file, run
from tunedrop_check import check
from tunedrop_check.rules.rule import Severity

TOKEN = "hf" + "_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh"
SECRET = json.dumps(
    {
        "messages": [
            {"role": "user", "content": "My token?"},
            {"role": "assistant", "content": TOKEN},
        ]
    }
).encode()


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A good file with a token on line 13, and without a system message there."""
    monkeypatch.chdir(tmp_path)
    return str(a_file(Path("secret.jsonl"), a_training_set("s") + SECRET))


SEVERITIES = pytest.mark.parametrize(
    ("options", "severity"),
    [
        pytest.param([], "error", id="unless told otherwise"),
        pytest.param(["--secrets", "error"], "error", id="error"),
        pytest.param(["--secrets", "warning"], "warning", id="warning"),
    ],
)


@SEVERITIES
def test_secret_is_what_it_is_told_to_be_in_the_document(
    capsys: pytest.CaptureFixture[str], secret: str, options: list[str], severity: Severity
) -> None:
    """It counts as that, decides the exit code, and the library says the same."""
    answer = run(capsys, secret, *options, "--json")
    [file] = answer.files
    assert [found["severity"] for found in file["findings"] if found["code"] == "TD-DATA-801"] == [
        severity
    ]
    assert (file["errors"], file["warnings"]) == ((1, 1) if severity == "error" else (0, 2))
    assert (answer.code, run(capsys, secret, *options, "--strict").code) == (
        (2, 2) if severity == "error" else (0, 1)
    )
    assert check(secret, secrets=severity) == json.loads(answer.out)


@SEVERITIES
def test_secret_is_what_it_is_told_to_be_in_every_form(
    capsys: pytest.CaptureFixture[str], secret: str, options: list[str], severity: Severity
) -> None:
    """As an annotation, for code scanning and as text; of the secret nobody sees more than four
    characters.
    """
    log = run(capsys, secret, *options, "--format", "sarif").out
    assert [
        one["level"]
        for one in json.loads(log)["runs"][0]["results"]
        if one["ruleId"] == "TD-DATA-801"
    ] == [severity]
    annotations = run(capsys, secret, *options, "--format", "github").out
    assert f"::{severity} file=secret.jsonl,line=13,title=TD-DATA-801" in annotations
    text = run(capsys, secret, *options).out
    assert ("  1 error, 1 warning" if severity == "error" else "  2 warnings") == text.splitlines()[
        -1
    ]
    assert (
        "    secret.jsonl:13  The line contains something that looks like this: Hugging Face "
        "token, hf_A…"
    ) in text
    assert not any(TOKEN[:5] in told for told in (log, annotations, text))


def test_rule_without_a_listed_finding_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hundred errors stand before it; warnings that stand for many lines come ahead of other
    ones.
    """
    lines = run(
        capsys, a_file(tmp_path / "many.jsonl", b"\n" * 120 + BAD_ROLE * 120 + SECRET)
    ).out.splitlines()
    heading = lines.index(
        "  error TD-DATA-801 Probable secret — Revoke the key or token, and replace it with an "
        "invented text that doesn't look like a real one."
    )
    assert lines[heading + 1] == "    not listed: 100 other errors come before"
    assert any(line.startswith("  warning TD-DATA-701 ") for line in lines)
