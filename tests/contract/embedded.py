"""`python -m tests.contract.embedded …`: the embedded host with its own options, which also writes
each request that it sends to the app's functions into the file that EMBEDDED_RECORDING names, in
the form of the recording of Microsoft's host.
"""

import base64
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, cast

import azure_functions_runtime  # pyright: ignore[reportMissingTypeStubs]

from tests.contract.recording import Doc
from tunedrop.host.__main__ import main
from tunedrop.host.messages import Message

RECORDING = "EMBEDDED_RECORDING"


def plain(value: Any) -> Any:
    """A message as JSON holds it; what has its type's default value is left out, and so are maps
    and lists of nothing, as by protobuf.
    """
    match value:
        case Message():
            return {
                name: plain(inner)
                for name, inner in vars(value).items()
                if inner not in (None, "", 0, [], {})
            }
        case dict():
            return {
                str(name): plain(inner) for name, inner in cast("dict[Any, Any]", value).items()
            }
        case list():
            return [plain(inner) for inner in cast("list[Any]", value)]
        case bytes():
            return base64.b64encode(value).decode()
        case _:
            return value


def sent(request: Message) -> Doc:
    """One request; without the context of retries and the body of which nothing is set, which stand
    for what protobuf has not set.
    """
    told: Doc = plain(request)
    told.pop("retry_context", None)
    for http in (given["data"]["http"] for given in told["input_data"] if "http" in given["data"]):
        if http.get("body") == {}:
            del http["body"]
    return told


def recorded(file: Path) -> None:
    """Has every request written down before the worker runtime gets it."""
    runtime: Any = azure_functions_runtime
    invoke, lock, names = runtime.invocation_request, threading.Lock(), set[str]()
    registry = vars(sys.modules[invoke.__module__])["_functions"]

    async def noting(request: Message) -> Any:
        said = sent(request.request.invocation_request)
        with lock, file.open("a", encoding="utf-8") as out:
            if said["function_id"] not in names:
                names.add(said["function_id"])
                load: Doc = {
                    "function_id": said["function_id"],
                    "metadata": {"name": registry.get_function(said["function_id"]).name},
                }
                out.write(
                    json.dumps({"at": time.time(), "message": {"function_load_request": load}})
                    + "\n"
                )
            out.write(
                json.dumps({"at": time.time(), "message": {"invocation_request": said}}) + "\n"
            )
        return await invoke(request)

    runtime.invocation_request = noting


if __name__ == "__main__":
    recorded(Path(os.environ[RECORDING]))
    code = main()
    sys.stdout.flush()
    os._exit(code)  # as the host itself ends
