"""Findings as SARIF 2.1.0, which code scanning and editors read. Standard: OASIS, Static Analysis
Results Interchange Format 2.1.0.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .. import VERSION
from ..rules import format_rules
from .inputs import STANDARD_INPUT
from .places import sentence

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"

_WORD = re.compile("[A-Za-z0-9]+")


def log(files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One run with all rules that were broken and all findings that were kept."""
    findings = [finding for file in files for finding in file["findings"]]
    broken = sorted({finding["code"] for finding in findings})
    told = [_rule(format_rules.RULES[code]) for code in broken]
    driver = {
        "name": "tunedrop-check",
        "version": VERSION,
        "semanticVersion": VERSION,
        "rules": told,
    }
    seen: Counter[tuple[str, ...]] = Counter()
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(f, broken, seen) for f in findings],
            }
        ],
    }


def _rule(rule: format_rules.Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in _WORD.findall(rule.title)),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation},
        "help": {
            "text": f"{rule.explanation} {rule.fix}",
            "markdown": f"{_escaped(rule.explanation)}\n\n**Fix:** {_escaped(rule.fix)}",
        },
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"tags": ["training-data"]},
    }


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|" else c for c in text)


def _result(
    finding: Mapping[str, Any], broken: list[str], seen: "Counter[tuple[str, ...]]"
) -> dict[str, Any]:
    place = (_uri(finding["file"]), finding["code"], finding["field"])
    seen[place] += 1
    physical: dict[str, Any] = {"artifactLocation": {"uri": place[0]}}
    if finding["line"]:
        physical["region"] = {"startLine": finding["line"]}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding["field"]:
        location["logicalLocations"] = [{"fullyQualifiedName": finding["field"], "kind": "object"}]
    return {
        "ruleId": finding["code"],
        "ruleIndex": broken.index(finding["code"]),
        "level": finding["severity"],
        "message": {"text": f"{finding['message']}{sentence(finding)} {finding['fix']}"},
        "locations": [location],
        "partialFingerprints": {"tunedropPlace/v1": _fingerprint(*place, str(seen[place]))},
    }


def _fingerprint(*parts: str) -> str:
    """The same for the nth break of one rule in one field of one file, so that lines may be put in
    or taken out elsewhere.
    """
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _uri(path: str) -> str:
    if path == STANDARD_INPUT:
        return "stdin"
    name = Path(path)
    if name.is_absolute():
        return name.as_uri()
    return quote(name.as_posix().encode("utf-8", "surrogateescape"))
