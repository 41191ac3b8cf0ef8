"""Every rule, proven by inputs that break it and by near misses that don't."""

import pytest

from tests.unit.check.proofs import (
    contents,
    files,
    folders,
    grading,
    images,
    lines,
    messages,
    preferences,
    reinforcements,
    tools,
)
from tests.unit.check.proofs.cases import Bad, Case, Proof, places
from tunedrop_check.rules import format_rules

AREAS = (
    files,
    folders,
    lines,
    messages,
    tools,
    images,
    preferences,
    reinforcements,
    grading,
    contents,
)
PROOFS: list[Proof] = [proof for area in AREAS for proof in area.PROOFS]
FEWEST = 2


@pytest.mark.parametrize(
    ("proof", "bad"),
    [
        pytest.param(proof, bad, id=f"{proof.rule.code[-3:]} {name}")
        for proof in PROOFS
        for name, bad in proof.bad.items()
    ],
)
def test_rule_is_broken_at_its_place_by(proof: Proof, bad: Bad) -> None:
    """The fault is found once, at its place, and nothing else but what the case names."""
    code = proof.rule.code.removeprefix("TD-DATA-")
    assert places(bad.case) == {(code, bad.place), *bad.also}
    assert [found.code for found in bad.case.findings()].count(proof.rule.code) == 1


@pytest.mark.parametrize(
    ("proof", "good"),
    [
        pytest.param(proof, good, id=f"{proof.rule.code[-3:]} {name}")
        for proof in PROOFS
        for name, good in proof.good.items()
    ],
)
def test_rule_is_not_broken_by(proof: Proof, good: Case) -> None:
    """A near miss has no error, and not this finding either."""
    found = good.findings()
    assert [
        entry for entry in found if entry.severity == "error" or entry.code == proof.rule.code
    ] == []


@pytest.mark.parametrize("code", format_rules.RULES)
def test_rule_has_its_proofs(code: str) -> None:
    """Each rule of the catalogue stands in one table, with at least two inputs that break it and
    two that don't.
    """
    mine = [proof for proof in PROOFS if proof.rule.code == code]
    assert [(len(proof.bad) >= FEWEST, len(proof.good) >= FEWEST) for proof in mine] == [
        (True, True)
    ]
