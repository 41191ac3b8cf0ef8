"""What a job's creation may say, by surface and version: fields, ranges, spellings. Unknown fields
are refused.
"""

import re
from dataclasses import dataclass
from typing import Any, cast

from tunedrop.emulator import catalogue, regions
from tunedrop.emulator.catalogue import BaseModel
from tunedrop.emulator.openai import errors
from tunedrop.emulator.store import Doc
from tunedrop.emulator.world import World

V1 = "v1"
METHODS_SINCE = "2025-04-01-preview"
VERSIONS = ("2024-02-01", "2024-05-01-preview", "2024-08-01-preview", "2024-10-21", METHODS_SINCE)

_STABLE_FIELDS = {"model", "training_file", "validation_file", "hyperparameters", "suffix", "seed"}
_METHOD_FIELDS = {"method", "trainingType"}
_V1_FIELDS = {"metadata", "integrations"}
_NONE = frozenset[str]()
# Ranges are OpenAI's (n_epochs 1 to 50, batch_size 1 to 256, multiplier above 0); the suffix and
# the plain hyperparameters are Azure's.
_HYPERPARAMETERS = {"n_epochs": (1, 50), "batch_size": (1, 256)}


def knows_methods(version: str) -> bool:
    """Whether `method` and `trainingType` exist there."""
    return version == V1 or version >= METHODS_SINCE


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job's creation, understood."""

    model: str
    base: BaseModel
    continued_from: str | None
    training_file: str
    validation_file: str | None
    suffix: str | None
    seed: int | None
    method: str
    training_type: str
    hyperparameters: Doc
    metadata: Doc | None


def wanted(world: World, body: Doc, version: str) -> Wanted:
    """Read a creation's body; refuses what the surface and version do not know or allow."""
    known = (
        _STABLE_FIELDS
        | (_METHOD_FIELDS if knows_methods(version) else _NONE)
        | (_V1_FIELDS if version == V1 else _NONE)
    )
    if unknown := set(body) - known:
        raise errors.unknown_fields(list(unknown))
    base, continued = _base(world, _text(body, "model"))
    method, hyperparameters = _method(body, base, version)
    training_type = _training_type(world, body.get("trainingType"))
    if training_type not in regions.training_types(base, world.region) or world.is_over(
        base.fine_tuning_ends
    ):
        raise errors.invalid("The specified base model does not support fine-tuning.", "model")
    return Wanted(
        model=_text(body, "model"),
        base=base,
        continued_from=continued,
        training_file=_text(body, "training_file"),
        validation_file=_text(body, "validation_file")
        if body.get("validation_file") is not None
        else None,
        suffix=_suffix(world, body.get("suffix")),
        seed=_number(body.get("seed"), "seed", 0, 2**31 - 1),
        method=method,
        training_type=training_type,
        hyperparameters=hyperparameters,
        metadata=_metadata(body.get("metadata")),
    )


def _text(body: Doc, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise errors.invalid(f"The field {name} is required and is a string.", name)
    return value


def _number(value: object, name: str, low: int, high: int) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise errors.invalid(f"{name} is a whole number from {low} to {high}.", name)
    return value


def _base(world: World, name: str) -> tuple[BaseModel, str | None]:
    if (found := catalogue.of_training(name)) is not None and regions.offers(found, world.region):
        return found, None
    former = world.store.get("model", name)
    base = catalogue.of_training(former["base"]) if former else None
    if base is None:
        raise errors.invalid("The specified base model does not support fine-tuning.", "model")
    return base, name


def _suffix(world: World, value: object) -> str | None:
    if value is None:
        return None
    longest = world.limits.suffix_max_chars
    if (
        not isinstance(value, str)
        or not re.fullmatch(r"[A-Za-z0-9_-]+", value)
        or len(value) > longest
    ):
        raise errors.invalid(
            f"The suffix has 1 to {longest} letters, digits, hyphens or underscores.", "suffix"
        )
    return value


def _training_type(world: World, value: object) -> str:
    if value is None:
        if world.switches.training_type_required:
            raise errors.invalid("The specified base model does not support fine-tuning.", "model")
        return "Standard"
    found = catalogue.TRAINING_TYPES.get(str(value).lower())
    if found is None:
        raise errors.invalid(
            "trainingType is Standard, GlobalStandard or developerTier.", "trainingType"
        )
    return found


def _metadata(value: object) -> Doc | None:
    if value is None:
        return None
    pairs = cast("Doc", value) if isinstance(value, dict) else {}
    if (
        not isinstance(value, dict)
        or len(pairs) > 16
        or not all(isinstance(text, str) for text in pairs.values())
    ):
        raise errors.invalid("metadata has at most 16 pairs of strings.", "metadata")
    return pairs


def _method(body: Doc, base: BaseModel, version: str) -> tuple[str, Doc]:
    plain = _hyperparameters(body.get("hyperparameters"), auto=version == V1)
    given = body.get("method")
    if given is None:
        return "supervised", plain
    if not isinstance(given, dict):
        raise errors.invalid("method is an object.", "method")
    method = cast("Doc", given)
    kind = method.get("type")
    if kind not in ("supervised", "dpo", "reinforcement") or set(method) - {"type", kind}:
        raise errors.invalid(
            "method has a type, supervised, dpo or reinforcement, and an object of that name.",
            "method",
        )
    if kind not in base.methods:
        raise errors.invalid(f"The method {kind} is not supported for this model.", "method")
    inner: Any = method.get(kind) or {}
    if not isinstance(inner, dict) or set(cast("Doc", inner)) - {"hyperparameters"}:
        raise errors.invalid(f"method.{kind} has only hyperparameters.", "method")
    extra = {"beta"} if kind == "dpo" else set[str]()
    return kind, {
        **plain,
        **_hyperparameters(cast("Doc", inner).get("hyperparameters"), auto=True, extra=extra),
    }


def _hyperparameters(value: object, *, auto: bool, extra: set[str] | None = None) -> Doc:
    """The hyperparameters that were set; "auto", where the surface takes it, is left out."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise errors.invalid("hyperparameters is an object.", "hyperparameters")
    given = cast("Doc", value)
    if unknown := set(given) - {*_HYPERPARAMETERS, "learning_rate_multiplier"} - (extra or set()):
        raise errors.unknown_fields(list(unknown), "hyperparameters")
    found: Doc = {}
    for name, number in given.items():
        if auto and number == "auto":
            continue
        if name in _HYPERPARAMETERS:
            found[name] = _number(number, name, *_HYPERPARAMETERS[name])
        elif (
            isinstance(number, bool)
            or not isinstance(number, int | float)
            or number <= 0
            or (name == "beta" and number > 2)
        ):
            raise errors.invalid(
                f"{name} is a number above 0{' and at most 2' if name == 'beta' else ''}.", name
            )
        else:
            found[name] = number
    return found
