"""The type of a decoded JSON value, as the checks see it."""

from typing import TypeAlias

# A `type` statement would need Python 3.12; this package also runs on 3.11.
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"  # noqa: UP040
JsonObject: TypeAlias = dict[str, Json]  # noqa: UP040
