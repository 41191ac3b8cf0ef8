"""Microsoft's Python worker runtime, driven as the Functions host drives it."""

import importlib
import json
import os
import sys
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from tunedrop.host.errors import FunctionFailed, HostError, bounded
from tunedrop.host.functions import Function, Metadata, parse
from tunedrop.host.messages import (
    PROTOS,
    Message,
    ParameterBinding,
    StatusResult,
    TriggerData,
    TypedData,
    bound,
)

# How the names of functions begin that azure-functions-durable registers by itself: one calls any
# address with the identity's token.
RESERVED = "BuiltIn__"
# What Microsoft's host allows a message between a client and the engine.
MESSAGE_MAX_BYTES = 4 * 2**20
THREADS = 16  # orchestrators and plain `def` functions share them, as on Azure


class Library(Protocol):
    """The part of `azure_functions_runtime` that is used; it ships no types."""

    async def worker_init_request(self, request: Message) -> Message: ...

    async def functions_metadata_request(self, request: Message | None) -> Message: ...

    async def invocation_request(self, request: Message) -> Message: ...

    def start_threadpool_executor(self) -> None: ...


# One app per process: the runtime keeps its registry in module globals. Source of the calls and of
# what they answer: azure_functions_runtime 1.3, `handle_event.py`.
class Runtime:
    """One function app, indexed and ready to be invoked."""

    def __init__(self, library: Library, functions: Iterable[Function], client: str) -> None:
        self.functions = tuple(functions)
        self._library = library
        self._client = client
        self._by_name = {function.name: function for function in self.functions}

    @classmethod
    async def start(cls, app: Path, engine: str, hub: str, base_url: str) -> "Runtime":
        """Import and index the app in this folder.

        `engine` is the durable engine's address, `hub` its name, `base_url` where the host answers.
        Raises HostError with the app's own message where its import or indexing fails.
        """
        if not (app / "function_app.py").is_file():
            msg = f"There is no function_app.py in {app}."
            raise HostError(msg)
        # Loose typing would let a payload name a class to be instantiated; the app must see this
        # before its import.
        os.environ["AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"] = "1"
        os.environ.setdefault("PYTHON_THREADPOOL_THREAD_COUNT", str(THREADS))
        library = cast(Library, importlib.import_module("azure_functions_runtime"))
        await _initialise(library, app)
        library.start_threadpool_executor()
        metadata = (await library.functions_metadata_request(None)).function_metadata_results
        functions = [parse(cast(Metadata, function)) for function in metadata]
        return cls(
            library,
            [function for function in functions if not function.name.startswith(RESERVED)],
            client(engine, hub, base_url),
        )

    def named(self, name: str, kind: str) -> Function | None:
        """The function of this name and type of trigger."""
        function = self._by_name.get(name)
        return function if function and function.kind == kind else None

    async def invoke(
        self, function: Function, metadata: TriggerData | None = None, **value: Any
    ) -> TypedData | None:
        """Run the function once with one typed value for its trigger, such as `json=…`; `metadata`
        tells of what fired it.

        Raises FunctionFailed with the function's own error.
        """
        answer = await self._library.invocation_request(
            _invocation(function, self._inputs(function, value), metadata or {})
        )
        if answer.result.status != StatusResult.Success:
            raise _failure(function.name, str(answer.result.exception.message))
        return cast("TypedData | None", answer.return_value)

    def _inputs(self, function: Function, value: Mapping[str, Any]) -> list[ParameterBinding]:
        return [
            bound(function.parameter, **value),
            *(bound(name, string=self._client) for name in function.clients),
        ]


async def _initialise(library: Library, app: Path) -> None:
    if str(app) not in sys.path:
        sys.path.insert(0, str(app))
    answer = await library.worker_init_request(
        Message(
            request=Message(
                worker_init_request=Message(capabilities={}, function_app_directory=str(app))
            ),
            properties={"host": "127.0.0.1", "protos": PROTOS},
        )
    )
    if answer.result.status != StatusResult.Success:
        # The runtime appends advice and all of sys.path to an import error.
        message = str(answer.result.exception.message).split(". Cannot find module.")[0]
        msg = f"The app in {app} can't be started: {bounded(message)}"
        raise HostError(msg)


def client(engine: str, hub: str, base_url: str) -> str:
    """What a durable client's binding is given, with the fields of Microsoft's host."""
    # The engine's HTTP addresses are named and not served: `requiredQueryStringParameters` holds no
    # key to them.
    told = {
        "taskHubName": hub,
        "connectionName": None,
        "creationUrls": None,
        "managementUrls": None,
        "baseUrl": None,
        "requiredQueryStringParameters": "",
        "rpcBaseUrl": f"http://{engine}",
        "httpBaseUrl": f"{base_url}/runtime/webhooks/durabletask",
        "useForwardedHost": False,
        "maxGrpcMessageSizeInBytes": MESSAGE_MAX_BYTES,
        "grpcHttpClientTimeout": '"00:01:40"',
    }
    return json.dumps(told)


def _invocation(
    function: Function, inputs: list[ParameterBinding], metadata: TriggerData
) -> Message:
    invocation = Message(
        invocation_id=str(uuid.uuid4()),
        function_id=function.id,
        input_data=inputs,
        trigger_metadata=dict(metadata),
        trace_context=Message(trace_parent="", trace_state="", attributes={}),
        retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
    )
    return Message(request=Message(invocation_request=invocation))


def _failure(function: str, message: str) -> FunctionFailed:
    error_type, separator, rest = message.partition(": ")
    if separator and error_type.isidentifier():
        return FunctionFailed(function, error_type, rest)
    return FunctionFailed(function, "Exception", message)
