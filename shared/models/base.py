"""What every model of ours shares: frozen, and no value of the input in a validation error."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value: made once, never changed, decoded leniently so that records of older releases stay readable."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, extra="ignore", defer_build=True)


def wire(model: BaseModel) -> dict[str, Any]:
    """The plain JSON form of a model, as it crosses the durable engine."""
    return model.model_dump(mode="json", exclude_none=True)
