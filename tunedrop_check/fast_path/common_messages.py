"""The messages of plain lines, as they are decoded: known roles, known keys, texts as contents."""

from typing import Union

import msgspec
from msgspec import UNSET, Raw, UnsetType


class System(msgspec.Struct, tag_field="role", tag="system", forbid_unknown_fields=True, gc=False):
    """A system message."""

    content: str


class User(msgspec.Struct, tag_field="role", tag="user", forbid_unknown_fields=True, gc=False):
    """A question."""

    content: str


class Assistant(
    msgspec.Struct, tag_field="role", tag="assistant", forbid_unknown_fields=True, gc=False
):
    """An answer, or calls of tools, or both."""

    content: str | UnsetType | None = UNSET
    tool_calls: Raw | UnsetType = UNSET
    weight: int | UnsetType = UNSET


class Tool(msgspec.Struct, tag_field="role", tag="tool", forbid_unknown_fields=True, gc=False):
    """A tool's answer."""

    tool_call_id: str
    content: str


Message = Union[System, User, Assistant, Tool]  # noqa: UP007  # msgspec reads it at run time
ROLES: dict[type[Message], str] = {
    System: "system",
    User: "user",
    Assistant: "assistant",
    Tool: "tool",
}
