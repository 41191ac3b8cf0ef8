"""The messages of the Functions host protocol, as far as the worker runtime needs them."""

import json
import types
from collections.abc import Mapping
from typing import Any, cast


class Message(types.SimpleNamespace):
    """Keeps what it was built from."""


# The runtime touches attributes only, and builds what it answers from an object called `protos`; so
# plain namespaces stand for the generated protobuf classes (azure_functions_runtime 1.3,
# `handle_event.py`).
class TypedData(Message):
    """A value of one kind: `string`, `json`, `bytes`, `http` or `model_binding_data`."""

    def WhichOneof(self, _group: str) -> str | None:
        """Always `data`: shared memory is not offered."""
        return next(iter(vars(self)), None)


type TriggerData = Mapping[str, TypedData]
"""What the metadata of a trigger tells of that which fired it, by name."""


class ParameterBinding(Message):
    """A value bound to a parameter by name."""

    def WhichOneof(self, _group: str) -> str:
        """Always `data`: shared memory is not offered."""
        return "data"


class BindingInfo(Message):
    """Data types and directions of bindings, with the protocol's numbers."""

    undefined, string, binary, stream = 0, 1, 2, 3
    out, inout = 1, 2


class StatusResult(Message):
    """How a request of the host ended, with the protocol's numbers."""

    Failure, Success, Cancelled = 0, 1, 2


PROTOS = types.SimpleNamespace(
    BindingInfo=BindingInfo,
    FunctionMetadataResponse=Message,
    InvocationResponse=Message,
    ParameterBinding=ParameterBinding,
    RpcException=Message,
    RpcFunctionMetadata=Message,
    RpcHttp=Message,
    RpcRetryOptions=Message,
    StatusResult=StatusResult,
    TypedData=TypedData,
    WorkerInitResponse=Message,
    WorkerMetadata=Message,
)


def bound(name: str, **value: Any) -> ParameterBinding:
    """A parameter of this name with one typed value, such as `bound("req", http=…)`."""
    return ParameterBinding(name=name, data=TypedData(**value))


def typed(value: Any) -> TypedData:
    """A value as a trigger's metadata holds it: objects and lists as JSON, all else as a string."""
    return (
        TypedData(json=json.dumps(value))
        if isinstance(value, dict | list)
        else TypedData(string=str(value))
    )


def parts(text: str) -> dict[str, TypedData]:
    """The members of a JSON object, each by its name; none where the text holds no object."""
    try:
        decoded: object = json.loads(text)
    except (ValueError, RecursionError):
        # Also where it is nested deeper than Python reads.
        return {}
    members = cast("dict[str, Any]", decoded) if isinstance(decoded, dict) else {}
    return {name: typed(value) for name, value in members.items() if value is not None}
