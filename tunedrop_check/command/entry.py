"""The command: its options, what each does, and its exit codes. `tunedrop check` is the same
command with colours.
"""

import argparse
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from .. import VERSION, CannotCheck
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
from .wrapping import wrapped

# Exit codes: fine; warnings under --strict; errors in the data or in the usage.
FINE, WARNINGS, ERRORS = 0, 1, 2

# As shells have it: 128 and the number of the signal, SIGINT or SIGPIPE.
INTERRUPTED, PIPE_CLOSED = 130, 141

Show = Callable[[Iterable[as_text.Line]], None]


class _Parser(argparse.ArgumentParser):
    """Raises instead of leaving: whoever has called decides how trouble looks."""

    def error(self, message: str) -> NoReturn:
        raise CannotCheck(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.")


def parser(prog: str) -> argparse.ArgumentParser:
    """The options of the command."""
    made = _Parser(
        prog=prog,
        allow_abbrev=False,
        description=(
            "Validate fine-tuning examples, count their tokens and say what training with them "
            "costs. Nothing is sent anywhere."
        ),
        epilog=(
            "Exit codes: 0 success; 1 warnings with --strict; 2 errors in the data or in the usage."
        ),
    )
    files = "files, .gz too; patterns; folders of a drop or of part files; - for standard input"
    made.add_argument("paths", nargs="*", metavar="PATH", help=files)
    made.add_argument(
        "--model",
        metavar="M",
        help=(
            "base model, which decides encoding and limits; default: the model in job.json, "
            "otherwise "
            f"{job_file.DEFAULT_MODEL}"
        ),
    )
    made.add_argument(
        "--role",
        choices=("training", "validation"),
        help="purpose of the files; default: recognised by their names",
    )
    made.add_argument(
        "--grader",
        metavar="FILE",
        help=(
            "a JSON file with the grader of a reinforcement run; the grader and its fields in "
            "each line are checked"
        ),
    )
    made.add_argument(
        "--secrets",
        choices=("error", "warning"),
        default="error",
        help="severity of a probable secret; default: error",
    )
    made.add_argument("--strict", action="store_true", help="exit code 1 if there are warnings")
    made.add_argument(
        "--format",
        choices=("text", "json", "github", "sarif"),
        default="text",
        help="form of the result; default: text",
    )
    made.add_argument(
        "--json",
        dest="format",
        action="store_const",
        const="json",
        help="the same as --format json",
    )
    made.add_argument(
        "--fix",
        metavar="OUT",
        type=Path,
        help="write a fixed copy of one input there, and check the copy",
    )
    made.add_argument("--force", action="store_true", help="allow --fix to overwrite OUT")
    made.add_argument(
        "--prices", metavar="FILE", help="a JSON file of prices, instead of the built-in table"
    )
    made.add_argument("--explain", metavar="CODE", help="explain a code, and check nothing")
    made.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    return made


def run(
    arguments: list[str],
    prog: str,
    show: Show,
    job_beside: Callable[[Path | None], job_file.Job] = job_file.beside,
    errors: Path | None = None,
) -> int:
    """Do what the arguments say, tell it on stdout, `show` what is for people, and give the exit
    code. `errors` is the page that explains the codes of runs, for --explain.

    Raises:
        CannotCheck: It can't be done.
    """
    options = parser(prog).parse_args(arguments)
    if options.explain is not None:
        return _explain(options, show, errors)
    if not options.paths:
        raise CannotCheck(f"Name the files to check. See {prog} --help.")
    grader = None if options.grader is None else grader_file.read(options.grader)
    request = checking.Request(
        options.model, options.secrets, library.price_table(options.prices), job_beside, grader
    )
    found = inputs.find(options.paths, options.role)
    copy = _fix(found, options) if options.fix else None
    told = library.documents(found if copy is None else [copy.input], request)
    if copy is not None:
        told["fixed"] = copy.told
    _tell(told, options.format, show)
    return _code(told["files"], strict=options.strict)


def _explain(options: argparse.Namespace, show: Show, errors: Path | None) -> int:
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


def plainly(lines: Iterable[as_text.Line]) -> None:
    """Print lines without colours, broken to its width on a terminal."""
    for line in (
        wrapped(lines, shutil.get_terminal_size().columns) if sys.stdout.isatty() else lines
    ):
        print("".join(span.text for span in line).rstrip())


def main(arguments: list[str] | None = None) -> int:
    """The console script `tunedrop-check`."""
    for stream in (sys.stdout, sys.stderr):
        # A console of another encoding must not end in a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code = run(sys.argv[1:] if arguments is None else arguments, "tunedrop-check", plainly)
        sys.stdout.flush()
    except CannotCheck as trouble:
        print(f"error: {as_text.visible(trouble)}", file=sys.stderr)
        return ERRORS
    except BrokenPipeError:
        # As `| head` leaves it; the flush at the end of the process must find another place.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return code
