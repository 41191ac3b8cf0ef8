"""What Microsoft's host tells of an HTTP request beyond method, address, headers and body: who
calls, and the trigger's metadata. Source: a recording of that host, version 4.1037.
"""

import json

from tunedrop.host.messages import Message, TypedData, parts

NAME = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
CLAIMS = "http://schemas.microsoft.com/2017/07/functions/claims"
JSON = "application/json"


def anonymous() -> Message:
    """A caller without a key."""
    return Message(
        authentication_type=None,
        name_claim_type=_text(NAME),
        role_claim_type=_text(ROLE),
        claims=[],
    )


def with_the_key() -> Message:
    """A caller who knows the function key."""
    claims = {"authlevel": "Function", "invoke": "true", "keyid": "default"}
    return Message(
        authentication_type=_text("WebJobsAuthLevel"),
        name_claim_type=_text(NAME),
        role_claim_type=_text(ROLE),
        claims=[Message(type=f"{CLAIMS}/{name}", value=value) for name, value in claims.items()],
    )


def metadata_of(request: Message) -> dict[str, TypedData]:
    """The trigger's metadata: query, headers, the route's parameters, and a JSON body's members."""
    headers: dict[str, str] = {name.title(): value for name, value in request.headers.items()}
    body: bytes = getattr(request.body, "bytes", b"")
    members = (
        parts(body.decode("utf-8", "replace"))
        if headers.get("Content-Type", "").startswith(JSON)
        else {}
    )
    told = {
        "Query": TypedData(json=json.dumps(request.query)),
        "Headers": TypedData(json=json.dumps(headers)),
    }
    return {
        **members,
        **{name: TypedData(string=value) for name, value in request.params.items()},
        **told,
    }


def _text(value: str) -> Message:
    return Message(value=value)
