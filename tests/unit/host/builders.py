"""Functions, as the app's metadata would describe them."""

from typing import Any

from tunedrop.host.functions import Function


def a_function(kind: str, name: str = "act", **trigger: Any) -> Function:
    """A function with one trigger of this kind."""
    return Function(name, f"id-{name}", {"type": kind, "name": "value", **trigger})


def an_http_function(
    route: str, *methods: str, name: str = "act", level: str = "function"
) -> Function:
    """An HTTP function on a route."""
    return a_function("httpTrigger", name, route=route, methods=list(methods), authLevel=level)


def a_blob_function(path: str = "training/{name}", **trigger: Any) -> Function:
    """A blob function that takes a BlobClient."""
    return a_function(
        "blobTrigger",
        path=path,
        connection="DropStorage",
        properties={"SupportsDeferredBinding": True},
        **trigger,
    )
