"""The check engine: reads, checks and measures fine-tuning files, in pieces or whole.

Stands alone: relative imports only, msgspec, numpy, google-re2 and the token counters, Python 3.11
or newer; it also ships by itself as the package `tunedrop-check`. It reads bytes and gives values
back; it opens no socket and logs nothing, and no text of a file under test leaves it. What touches
the machine stands in `command`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from .reading.drop_names import Role
    from .rules.rule import Severity

__all__ = ["VERSION", "CannotCheck", "check"]

VERSION = "0.1.0"


class CannotCheck(Exception):
    """What was asked for can't be done; the message is a sentence for people."""


def check(
    paths: "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]",
    *,
    model: str | None = None,
    role: "Role | None" = None,
    secrets: "Severity" = "error",
    prices: "str | os.PathLike[str] | None" = None,
    grader: "str | os.PathLike[str] | None" = None,
) -> dict[str, Any]:
    """Check files, patterns and folders: the document that `--json` prints, `{"files": [...]}`.

    `model` replaces that of a job.json beside the data, `role` what the names say;
    `secrets="warning"` lets probable secrets through with a warning, `prices` is a JSON file of
    training prices, and `grader` one with the grader of a reinforcement run.

    Raises:
        CannotCheck: There is no such file, it can't be read, or the model isn't known.
    """
    # msgspec and the counters, 0.1 s and more: the app imports this package at its start.
    from .command import library

    return library.check(
        paths, model=model, role=role, secrets=secrets, prices=prices, grader=grader
    )
