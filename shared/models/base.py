"""What every model of ours shares: frozen, and no value of the input in a validation error."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError


class Frozen(BaseModel):
    """A value: made once, never changed, decoded leniently so that records of older releases stay
    readable.
    """

    model_config = ConfigDict(
        frozen=True, hide_input_in_errors=True, extra="ignore", defer_build=True
    )


def wire(model: BaseModel) -> dict[str, Any]:
    """The plain JSON form of a model, as it crosses the durable engine."""
    return model.model_dump(mode="json", exclude_none=True)


def encoded(model: BaseModel) -> bytes:
    """The JSON of a model, as it stands in a blob."""
    return model.model_dump_json().encode()


def decoded[M: BaseModel](kind: type[M], content: bytes) -> M | None:
    """A model from the JSON of its blob; None where that is damaged."""
    try:
        return kind.model_validate_json(content)
    except ValidationError:
        return None
