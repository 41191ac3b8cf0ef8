"""What the command does: it checks, fixes or explains, and tells the result."""

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from .. import CannotCheck
from ..rules.rule import Rule
from . import (
    as_github,
    as_sarif,
    as_text,
    checking,
    examples,
    explaining,
    fixing,
    grader_file,
    inputs,
    job_file,
    library,
    sources,
)
from .options import ERRORS, FINE, WARNINGS

Show = Callable[[Iterable[as_text.Line]], None]
JobBeside = Callable[[Path | None], job_file.Job]


def check(options: argparse.Namespace, show: Show, job_beside: JobBeside | None) -> int:
    """Check the inputs, or a fixed copy of one, and answer the exit code."""
    grader = None if options.grader is None else grader_file.read(options.grader)
    prices = library.price_table(options.prices)
    request = checking.Request(
        options.model, options.secrets, prices, job_beside or job_file.beside, grader
    )
    found = inputs.find(options.paths, options.role)
    copy = _fix(found, options) if options.fix else None
    told = library.documents(found if copy is None else [copy.input], request)
    if copy is not None:
        told["fixed"] = copy.told
    _tell(told, options.format, show)
    return _code(told["files"], strict=options.strict)


def explain(options: argparse.Namespace, show: Show, errors: Path | None) -> int:
    """Tell what a code means."""
    found = explaining.explain(options.explain, errors)
    if options.format == "json":
        print(json.dumps({**_facts(found), **msgspec.structs.asdict(found)}))
    else:
        show(
            as_text.explained_code(found)
            if isinstance(found, explaining.RunCode)
            else as_text.explained(found)
        )
    return FINE


def _facts(found: explaining.RunCode | Rule) -> dict[str, Any]:
    """What is told of a rule beside its own fields."""
    if isinstance(found, explaining.RunCode):
        return {}
    number = found.code[-3:]
    broken, kept = examples.EXAMPLES[number]
    return {
        "wrong": broken,
        "right": kept,
        "source": examples.source_of(number),
        "documented": as_text.DOCUMENTED,
    }


class _Copy(msgspec.Struct):
    """A fixed copy as the next thing to check, and what is told of it."""

    input: inputs.Input
    told: dict[str, Any]


def _fix(found: list[inputs.Input], options: argparse.Namespace) -> _Copy:
    if len(found) != 1:
        raise CannotCheck(f"--fix fixes one input at a time; you gave {len(found)}.")
    [original] = found
    target: Path = options.fix
    try:
        fixed = fixing.fix(original, target, force=options.force)
    except sources.Refused as refused:
        why = f"{refused.finding.message} {refused.finding.fix}"
        raise CannotCheck(f"{refused.part or original.path} can't be fixed: {why}") from None
    told = {"from": original.path, "to": str(target), **msgspec.structs.asdict(fixed)}
    return _Copy(inputs.Input(str(target), (target,), original.role, original.home), told)


def _tell(told: dict[str, Any], form: str, show: Show) -> None:
    if form == "json":
        print(json.dumps(told))
    elif form == "sarif":
        print(json.dumps(as_sarif.log(told["files"]), indent=1))
    elif form == "github":
        print(*as_github.lines(told["files"]), sep="\n")
    else:
        show(as_text.fixed(told["fixed"]) if "fixed" in told else ())
        show(as_text.report(told["files"]))


def _code(files: list[dict[str, Any]], strict: bool) -> int:
    if any(file["errors"] for file in files):
        return ERRORS
    return WARNINGS if strict and any(file["warnings"] for file in files) else FINE
