"""Findings as SARIF 2.1.0, judged by the schema of the standard."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.data import a_training_set
from tests.unit.check.command.builders import (
    BAD_ROLE,
    NO_SYSTEM,
    a_file,
    a_finding,
    a_spark_folder,
    run,
)
from tunedrop_check.command import as_sarif
from tunedrop_check.rules import format_rules

MODULES = Path(__file__).parents[4] / "node_modules"
SCHEMA = json.loads(
    (
        MODULES / "@microsoft" / "jest-sarif" / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json"
    ).read_bytes()
)
VALIDATOR: Any = jsonschema.Draft4Validator(
    SCHEMA, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER
)


def a_log(*findings: dict[str, Any]) -> dict[str, Any]:
    """The run of a log with these findings, once the schema has accepted it."""
    log = as_sarif.log([{"findings": findings}])
    VALIDATOR.validate(json.loads(json.dumps(log)))
    return log["runs"][0]


def uri(file: str) -> str:
    """The address of a file with this name."""
    return a_log(a_finding(file=file))["results"][0]["locations"][0]["physicalLocation"][
        "artifactLocation"
    ]["uri"]


def fingerprints(*findings: dict[str, Any]) -> list[str]:
    """What tells results apart from one run to the next."""
    return [
        result["partialFingerprints"]["tunedropPlace/v1"] for result in a_log(*findings)["results"]
    ]


def test_a_whole_check_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the schema: of files and of a folder with parts."""
    monkeypatch.chdir(tmp_path)
    a_file(Path("mine.jsonl"), a_training_set("s") + BAD_ROLE)
    a_spark_folder(Path("out"), {"part-0": NO_SYSTEM, "part-1": BAD_ROLE})
    answer = run(capsys, "mine.jsonl", "out", "--format", "sarif")
    log = json.loads(answer.out)
    VALIDATOR.validate(log)
    results = log["runs"][0]["results"]
    places = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results
    }
    assert (answer.code, places) == (2, {"mine.jsonl", "out", "out/part-0", "out/part-1"})


def test_a_clean_check_is_a_run_without_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that code scanning closes what was open."""
    answer = run(capsys, a_file(tmp_path / "mine.jsonl"), "--format", "sarif")
    log = json.loads(answer.out)
    VALIDATOR.validate(log)
    assert (answer.code, log["runs"][0]["results"]) == (0, [])


@pytest.mark.parametrize("rule", format_rules.RULES.values(), ids=format_rules.RULES)
def test_every_rule_is_described_in_full(rule: format_rules.Rule) -> None:
    """Title, why, fix and severity, found through the result's index."""
    run_ = a_log(a_finding(code=rule.code, severity=rule.severity))
    described = run_["tool"]["driver"]["rules"][run_["results"][0]["ruleIndex"]]
    assert (
        described["id"],
        described["shortDescription"]["text"],
        described["fullDescription"]["text"],
    ) == (
        rule.code,
        rule.title,
        rule.explanation,
    )
    assert described["help"]["text"] == f"{rule.explanation} {rule.fix}"
    assert (
        described["defaultConfiguration"]["level"] == run_["results"][0]["level"] == rule.severity
    )


def test_place_is_line_and_field() -> None:
    """The line as a region, the JSON pointer as a logical location; neither where the whole file is
    meant.
    """
    [inside, whole] = (
        result["locations"][0]
        for result in a_log(a_finding(), a_finding(line=None, field=""))["results"]
    )
    assert inside["physicalLocation"]["region"] == {"startLine": 7}
    assert inside["logicalLocations"][0]["fullyQualifiedName"] == "/messages"
    assert ("region" in whole["physicalLocation"], "logicalLocations" in whole) == (False, False)


@pytest.mark.parametrize(
    ("file", "written"),
    [
        pytest.param("data/a b.jsonl", "data/a%20b.jsonl", id="blank"),
        pytest.param("ä:%#?.jsonl", "%C3%A4%3A%25%23%3F.jsonl", id="reserved characters"),
        pytest.param("\udcff.jsonl", "%FF.jsonl", id="a byte that is no UTF-8"),
        pytest.param("./a.jsonl", "a.jsonl", id="from here"),
        pytest.param("/data/a b.jsonl", "file:///data/a%20b.jsonl", id="from the root"),
        pytest.param("-", "stdin", id="standard input"),
    ],
)
def test_file_is_a_uri(file: str, written: str) -> None:
    """Relative where the name is, so that code scanning finds it in the repository."""
    assert uri(file) == written


def test_fingerprint_stays_when_lines_move() -> None:
    """The line number is no part of it."""
    assert fingerprints(a_finding(line=7)) == fingerprints(a_finding(line=8))


def test_fingerprints_tell_findings_apart() -> None:
    """By file, code, field, and by order where these are the same."""
    others = [
        a_finding(),
        a_finding(),
        a_finding(file="b"),
        a_finding(field="/tools"),
        a_finding(code="TD-DATA-202"),
    ]
    assert len(set(fingerprints(*others))) == len(others)
