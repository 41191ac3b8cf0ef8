"""What the PUT of a deployment may say; unknown fields are refused."""

import re
from dataclasses import dataclass
from typing import cast

from tunedrop.emulator import catalogue, regions
from tunedrop.emulator.arm import errors
from tunedrop.emulator.store import Doc
from tunedrop.emulator.world import World

_PROPERTIES = {
    "model",
    "raiPolicyName",
    "versionUpgradeOption",
    "dynamicThrottlingEnabled",
    "scaleSettings",
    "capacitySettings",
}
_MODEL = {"format", "name", "version", "source", "sourceAccount", "publisher"}
_UPGRADES = (None, "OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired", "NoAutoUpgrade")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A deployment, understood."""

    name: str
    sku: str
    capacity: int
    model: Doc
    base: catalogue.BaseModel
    fine_tuned: bool
    properties: Doc
    tags: Doc | None


def _object(value: object, where: str, known: set[str]) -> Doc:
    if not isinstance(value, dict):
        message = f"{where} is an object."
        raise errors.invalid(message)
    doc = cast("Doc", value)
    if unknown := set(doc) - known:
        message = f"Unknown in {where}: {', '.join(sorted(name[:40] for name in unknown))}."
        raise errors.invalid(message)
    return doc


def wanted(world: World, name: str, body: Doc) -> Wanted:
    """Read the body of a PUT; refuses what ARM would."""
    longest = world.limits.deployment_name_max_chars
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or len(name) > longest:
        raise errors.invalid_name(longest)
    top = _object(body, "the body", {"sku", "properties", "tags"})
    properties = _object(top.get("properties"), "properties", _PROPERTIES)
    model = _object(properties.get("model"), "properties.model", _MODEL)
    if not all(isinstance(model.get(key), str) for key in ("format", "name")):
        raise errors.invalid("properties.model has a format and a name.")
    if properties.get("versionUpgradeOption") not in _UPGRADES:
        raise errors.invalid("versionUpgradeOption is not known.")
    policy = properties.get("raiPolicyName")
    if (
        policy not in (None, *catalogue.CONTENT_FILTERS)
        and world.switches.unknown_policy == "refused"
    ):
        raise errors.policy_unknown(str(policy)[:64])
    base, fine_tuned = _base(world, model)
    sku, capacity = _sku(world, top.get("sku"), base, fine_tuned=fine_tuned)
    rest = {key: value for key, value in properties.items() if key != "model"}
    return Wanted(
        name,
        sku,
        capacity,
        model,
        base,
        fine_tuned,
        rest,
        _tags(top.get("tags")) if world.switches.keep_tags else None,
    )


def _tags(value: object) -> Doc | None:
    if value is None:
        return None
    tags = cast("Doc", value) if isinstance(value, dict) else {"": None}
    if not all(isinstance(text, str) for text in tags.values()):
        raise errors.invalid("tags is an object of strings.")
    return tags


def _base(world: World, model: Doc) -> tuple[catalogue.BaseModel, bool]:
    refused = errors.model_unsupported(
        model["format"][:40], model["name"][:120], str(model.get("version", ""))[:40]
    )
    if model["format"] != "OpenAI":
        raise refused
    tuned = world.store.get("model", model["name"]) or _of_checkpoint(world, model["name"])
    base = (
        catalogue.of_training(tuned["base"])
        if tuned
        else catalogue.of_deployment(model["name"], model.get("version"))
    )
    if (
        base is None
        or not regions.offers(base, world.region)
        or (tuned is not None and model.get("version", "1") != "1")
    ):
        raise refused
    if tuned is not None:
        model["name"] = tuned["id"]
    return base, tuned is not None


def _of_checkpoint(world: World, name: str) -> Doc | None:
    """A checkpoint can be deployed by its id as well as by its model name."""
    return (
        next((doc for doc in world.store.all("model") if doc["checkpoint"] == name), None)
        if name.startswith("ftchkpt-")
        else None
    )


def _sku(
    world: World, value: object, base: catalogue.BaseModel, *, fine_tuned: bool
) -> tuple[str, int]:
    sku = _object(
        {} if value is None else value, "sku", {"name", "capacity", "tier", "size", "family"}
    )
    given, capacity = sku.get("name", "Standard"), sku.get("capacity", 1)
    name = catalogue.SKUS.get(given.lower()) if isinstance(given, str) else None
    if name is None or name not in regions.skus(base, world.region, fine_tuned=fine_tuned):
        raise errors.sku_refused(world.switches.sku_refused_code, str(given)[:40], base.full_name)
    if not isinstance(capacity, int) or isinstance(capacity, bool) or capacity < 1:
        raise errors.invalid("sku.capacity is a whole number from 1 up.")
    return name, capacity
