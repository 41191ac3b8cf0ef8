"""Hostile blob names: each starts the run of its own name, ends in a named rejection, or is left
alone because it starts nothing.
"""

import re

import pytest

from shared.models.drop import NAMELESS, RUN_NAME_MAX_CHARS, drop_of
from shared.models.record import RunRecord
from shared.runs.result_files import report_path
from tests.builders import NOW

PLAIN_PATH = re.compile(r"invalid-name/invalid-name-[0-9a-f]{8}/report\.html")
REFUSED = [
    pytest.param("../training_set.jsonl", id="parent folder"),
    pytest.param("../../etc/training_set.jsonl", id="two parents up"),
    pytest.param("/training_set.jsonl", id="absolute"),
    pytest.param("a/../b/training_set.jsonl", id="parent in the middle"),
    pytest.param("./travel.jsonl/training_set.jsonl", id="this folder"),
    pytest.param("%2e%2e%2ftraining.jsonl", id="encoded parent"),
    pytest.param("%252e%252e.jsonl", id="encoded twice"),
    pytest.param("..\\travel.jsonl", id="backslash parent"),
    pytest.param("C:\\travel.jsonl", id="drive letter"),
    pytest.param("\\\\host\\share.jsonl", id="network share"),
    pytest.param("CON.jsonl", id="Windows device"),
    pytest.param("travel.jsonl .jsonl", id="space before the ending"),
    pytest.param("travel..jsonl", id="trailing dot"),
    pytest.param(" travel.jsonl", id="leading space"),
    pytest.param("tra\x00vel.jsonl", id="NUL"),
    pytest.param("tra\nvel.jsonl", id="newline"),
    pytest.param("travel\r\nX-Header: 1.jsonl", id="header injection"),
    pytest.param("\x1b[31mtravel.jsonl", id="ANSI colours"),
    pytest.param("tra\x7fvel.jsonl", id="DEL"),
    pytest.param("\u202elnosj.jsonl", id="right-to-left override"),
    pytest.param("tra\u200bvel.jsonl", id="zero width"),
    pytest.param("\ufefftravel.jsonl", id="byte-order mark"),
    pytest.param("tr\u0430vel.jsonl", id="Cyrillic look-alike"),
    pytest.param("\u0661\u0662.jsonl", id="Arabic digits"),
    pytest.param("trave\u0301l.jsonl", id="combining accent"),
    pytest.param("\ud800.jsonl", id="lone surrogate"),
    pytest.param("\U0001f4a3.jsonl", id="emoji"),
    pytest.param("a" * 1018 + ".jsonl", id="1,024 characters"),
    pytest.param("a" * (RUN_NAME_MAX_CHARS + 1) + ".jsonl", id="a character too long"),
    pytest.param("<script>alert(1)<script>.jsonl", id="script"),
    pytest.param('"><img src=x onerror=alert(1)>.jsonl', id="event handler"),
    pytest.param("=cmd|'calc'!A1.jsonl", id="formula"),
    pytest.param("@travel.jsonl", id="leading at"),
    pytest.param("{{7*7}}.jsonl", id="template"),
    pytest.param("${jndi:ldap:x}.jsonl", id="lookup"),
    pytest.param("'; drop table runs; --.jsonl", id="SQL"),
    pytest.param("$(reboot).jsonl", id="shell"),
    pytest.param("-rf.jsonl", id="option"),
    pytest.param("travel.JSONL", id="ending in capitals"),
    pytest.param("Travel.jsonl", id="capital"),
    pytest.param("~$travel.jsonl", id="lock file of an editor"),
    pytest.param(".jsonl", id="nothing but the ending"),
    pytest.param("invalid-name.jsonl", id="the rejected run's own name"),
    pytest.param("blob:v1:x:y.jsonl", id="reference of the engine"),
    pytest.param("a/b/c/training_set.jsonl", id="deep folder"),
    pytest.param("<b>/training/_SUCCESS", id="script as Spark folder"),
]
LEFT_ALONE = [
    pytest.param("travel/validation_set.jsonl", id="validation file"),
    pytest.param("travel/job.json", id="settings"),
    pytest.param("travel/training_set.jsonl.tmp", id="half an upload"),
    pytest.param("travel/.training_set.jsonl", id="hidden file"),
    pytest.param("travel/training_set.jsonl/", id="folder marker"),
    pytest.param("travel/Training_Set.jsonl", id="training file in capitals"),
    pytest.param("travel/training/_SUCCESS.crc", id="checksum of Spark"),
    pytest.param("_SUCCESS", id="Spark's mark outside a folder"),
    pytest.param("travel.jsonl.zip", id="archive of another kind"),
    pytest.param("runs/travel.json", id="like a record of the ledger"),
    pytest.param("<script>alert(1)</script>.jsonl", id="script whose slash makes a folder"),
]


@pytest.mark.parametrize("blob", REFUSED)
def test_name_that_can_not_be_a_run_is_a_rejected_run_of_its_own(blob: str) -> None:
    """It is reported under `invalid-name`, and no character of it reaches an id or a path."""
    drop = drop_of("account", "training", blob, "0x1")
    assert drop is not None
    assert (drop.name, drop.named) == (NAMELESS, False)
    record = RunRecord(id=drop.run_id, drop=drop, created_at=NOW, updated_at=NOW)
    assert PLAIN_PATH.fullmatch(report_path(record, "report.html"))


@pytest.mark.parametrize("blob", LEFT_ALONE)
def test_blob_that_starts_nothing_is_left_alone(blob: str) -> None:
    """Only a `.jsonl` at the top, a `training_set.jsonl` and a `_SUCCESS` start a run."""
    assert drop_of("account", "training", blob, "0x1") is None


def test_hostile_names_are_runs_of_their_own() -> None:
    """No two of them share an id, so that none can hide another."""
    drops = [drop_of("account", "training", str(param.values[0]), "0x1") for param in REFUSED]
    assert len({drop.run_id for drop in drops if drop}) == len(REFUSED)
