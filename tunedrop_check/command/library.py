"""The checker for notebooks and scripts: paths in, the JSON document out."""

import os
from collections.abc import Iterable, Sequence
from typing import Any

from .. import CannotCheck
from ..counting import pricing
from ..reading.drop_names import Role
from ..rules.rule import Severity
from . import as_json, checking, grader_file, inputs


def check(
    paths: "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]",
    *,
    model: str | None,
    role: Role | None,
    secrets: Severity,
    prices: "str | os.PathLike[str] | None",
    grader: "str | os.PathLike[str] | None",
) -> dict[str, Any]:
    """What `tunedrop_check.check` does."""
    wanted = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if secrets not in ("error", "warning"):
        raise CannotCheck("secrets, the severity of a probable secret, must be error or warning.")
    request = checking.Request(
        model=model,
        secrets=secrets,
        prices=price_table(prices),
        grader=None if grader is None else grader_file.read(grader),
    )
    return documents(inputs.find([os.fspath(path) for path in wanted], role), request)


def documents(found: Sequence[inputs.Input], request: checking.Request) -> dict[str, Any]:
    """The document of all these inputs.

    Raises:
        CannotCheck: One of them can't be checked.
    """
    return {
        "files": [
            as_json.document(one, request.prices) for one in checking.check_all(found, request)
        ]
    }


def price_table(file: "str | os.PathLike[str] | None") -> pricing.PriceTable:
    """The prices of a file, else the carried ones.

    Raises:
        CannotCheck: The file can't be read, or holds something else.
    """
    try:
        return pricing.prices(None if file is None else os.fspath(file))
    except OSError as error:
        raise CannotCheck(
            f"{file} can't be read: {error.strerror or type(error).__name__}."
        ) from None
    except pricing.NotAPriceTable as error:
        raise CannotCheck(f"{file}: {error}") from None
