"""The options of the command; its parser loads nothing of the engine, so that help is told
at once.
"""

import argparse
from pathlib import Path
from typing import NoReturn

from .. import VERSION, CannotCheck

# Exit codes: fine; warnings under --strict; errors in the data or in the usage.
FINE, WARNINGS, ERRORS = 0, 1, 2

# Where neither an option nor a job.json names a model.
DEFAULT_MODEL = "gpt-4.1-mini-2025-04-14"


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
    _options_of(made)
    return made


def by_name() -> dict[str, argparse.Action]:
    """Each option by its name, for whoever completes them."""
    return {name: option for option in _options_of(_Parser()) for name in option.option_strings}


def _options_of(made: argparse.ArgumentParser) -> list[argparse.Action]:
    return [
        made.add_argument(
            "--model",
            metavar="M",
            help=(
                "base model, which decides encoding and limits; default: the model in job.json, "
                "otherwise "
                f"{DEFAULT_MODEL}"
            ),
        ),
        made.add_argument(
            "--role",
            choices=("training", "validation"),
            help="purpose of the files; default: recognised by their names",
        ),
        made.add_argument(
            "--grader",
            metavar="FILE",
            help=(
                "a JSON file with the grader of a reinforcement run; the grader and its fields in "
                "each line are checked"
            ),
        ),
        made.add_argument(
            "--secrets",
            choices=("error", "warning"),
            default="error",
            help="severity of a probable secret; default: error",
        ),
        made.add_argument(
            "--strict", action="store_true", help="exit code 1 if there are warnings"
        ),
        made.add_argument(
            "--format",
            choices=("text", "json", "github", "sarif"),
            default="text",
            help="form of the result; default: text",
        ),
        made.add_argument(
            "--json",
            dest="format",
            action="store_const",
            const="json",
            help="the same as --format json",
        ),
        made.add_argument(
            "--fix",
            metavar="OUT",
            type=Path,
            help="write a fixed copy of one input there, and check the copy",
        ),
        made.add_argument("--force", action="store_true", help="allow --fix to overwrite OUT"),
        made.add_argument(
            "--prices", metavar="FILE", help="a JSON file of prices, instead of the built-in table"
        ),
        made.add_argument("--explain", metavar="CODE", help="explain a code, and check nothing"),
        made.add_argument("--version", action="version", version=f"%(prog)s {VERSION}"),
    ]
