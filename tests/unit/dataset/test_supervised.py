"""The rules of a supervised example."""

import base64
from typing import Any

import pytest

from tests.unit.dataset.builders import IMAGE_MODEL, a_conversation, a_message, an_example, found_in, places

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + bytes(9) + b"\x02" + bytes(20)
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {}}}


def calling(*calls: Any) -> dict[str, Any]:
    """An assistant message that calls tools."""
    return {"role": "assistant", "tool_calls": list(calls)}


def an_image(url: Any = "https://example.com/a.png", **more: Any) -> dict[str, Any]:
    """A user message with one image."""
    return a_message("user", [{"type": "image_url", "image_url": {"url": url, **more}}])


def embedded(content: bytes, kind: str = "image/png") -> str:
    """A data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(an_example(), id="plain"),
        pytest.param(a_conversation(a_message("assistant", weight=0), a_message("user")), id="one answer weighs 0"),
        pytest.param(an_example(a_message("user", [{"type": "text", "text": "x"}]), a_message("assistant", weight=1.0)), id="text parts"),
        pytest.param(
            a_conversation(calling(CALL), a_message("tool", tool_call_id="c1"), tools=[TOOL], parallel_tool_calls=False), id="tools"
        ),
        pytest.param(an_example(a_message("user"), calling(CALL), tools=[TOOL]), id="ends with a call"),
        pytest.param(an_example(a_message("user", name="Ann-1"), a_message("assistant")), id="name"),
    ],
)
def test_example_has_no_finding_when_sound(example: dict[str, Any]) -> None:
    """A sound example passes."""
    assert found_in(example) == []


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        pytest.param({}, {("201", "")}, id="no messages"),
        pytest.param({"messages": []}, {("201", "/messages")}, id="empty messages"),
        pytest.param({"messages": "x"}, {("201", "/messages")}, id="messages a string"),
        pytest.param(a_conversation(7), {("202", "/messages/1")}, id="message a number"),
        pytest.param(a_conversation(a_message("robot")), {("203", "/messages/1/role")}, id="unknown role"),
        pytest.param(a_conversation(a_message(["user"])), {("203", "/messages/1/role")}, id="role a list"),  # pyright: ignore[reportArgumentType]
        pytest.param(a_conversation({"content": "x"}), {("203", "/messages/1")}, id="no role"),
        pytest.param(a_conversation(a_message("developer")), {("204", "/messages/1/role")}, id="developer"),
        pytest.param(an_example(a_message("assistant")), {("205", "/messages")}, id="no user"),
        pytest.param(an_example(a_message("user")), {("206", "/messages")}, id="no assistant"),
        pytest.param(
            a_conversation() | {"messages": [*a_conversation()["messages"], a_message("user")]}, {("207", "/messages")}, id="ends with user"
        ),
        pytest.param(a_conversation({"role": "user"}), {("208", "/messages/1")}, id="no content"),
        pytest.param(a_conversation(a_message("assistant", None)), {("208", "/messages/1/content")}, id="null content"),
        pytest.param(a_conversation(a_message("user", 1)), {("209", "/messages/1/content")}, id="content a number"),
        pytest.param(a_conversation(a_message("system", [])), {("209", "/messages/1/content")}, id="parts outside user"),
        pytest.param(a_conversation(a_message("user", "")), {("210", "/messages/1/content")}, id="empty content"),
        pytest.param(a_conversation(a_message("user", [])), {("210", "/messages/1/content")}, id="no parts"),
        pytest.param(a_conversation(a_message("assistant", weight=0.5)), {("211", "/messages/1/weight")}, id="weight 0.5"),
        pytest.param(a_conversation(a_message("assistant", weight=True)), {("211", "/messages/1/weight")}, id="weight true"),
        pytest.param(a_conversation(a_message("assistant", weight="1")), {("211", "/messages/1/weight")}, id="weight a string"),
        pytest.param(a_conversation(a_message("user", weight=1)), {("212", "/messages/1/weight")}, id="weight on a user"),
        pytest.param(an_example(a_message("user"), a_message("assistant", weight=0)), {("213", "/messages")}, id="all weights 0"),
        pytest.param(a_conversation(a_message("user", name=1)), {("214", "/messages/1/name")}, id="name a number"),
        pytest.param(a_conversation(a_message("user", name="A B")), {("215", "/messages/1/name")}, id="name with a space"),
        pytest.param(a_conversation(a_message("user", a=1, b=2)), {("216", "/messages/1")}, id="unknown keys in a message"),
        pytest.param(an_example(__proto__=1), {("216", "")}, id="unknown key in the line"),
        pytest.param(an_example(preferred_output=[]), {("217", "")}, id="preference key"),
    ],
)
def test_example_has_the_finding_of_each_message_rule(example: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    """Each fault is found once, at its place, and nothing else."""
    assert places(example) == expected


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        pytest.param(an_example(tools={}), {("301", "/tools")}, id="tools an object"),
        pytest.param(an_example(tools=[{"type": "function"}]), {("301", "/tools/0")}, id="tool without function"),
        pytest.param(an_example(tools=[TOOL | {"type": "web"}]), {("301", "/tools/0")}, id="tool of another type"),
        pytest.param(an_example(functions=[7]), {("308", "/functions"), ("301", "/functions/0")}, id="function a number"),
        pytest.param(an_example(parallel_tool_calls="yes"), {("302", "/parallel_tool_calls")}, id="parallel a string"),
        pytest.param(a_conversation(calling()), {("303", "/messages/1/tool_calls")}, id="no calls"),
        pytest.param(a_conversation(calling(7)), {("303", "/messages/1/tool_calls/0")}, id="call a number"),
        pytest.param(
            a_conversation(calling({**CALL, "id": None}), tools=[TOOL]), {("303", "/messages/1/tool_calls/0")}, id="call without id"
        ),
        pytest.param(
            a_conversation(calling({**CALL, "function": {"name": "f", "arguments": {}}}), tools=[TOOL]),
            {("303", "/messages/1/tool_calls/0/function")},
            id="arguments an object",
        ),
        pytest.param(
            a_conversation(calling({**CALL, "function": {"name": "f", "arguments": "{"}}), tools=[TOOL]),
            {("304", "/messages/1/tool_calls/0/function/arguments")},
            id="arguments not JSON",
        ),
        pytest.param(a_conversation(a_message("tool")), {("305", "/messages/1")}, id="answer without id"),
        pytest.param(a_conversation(a_message("tool", tool_call_id="x")), {("305", "/messages/1/tool_call_id")}, id="answer to no call"),
        pytest.param(
            a_conversation(calling(CALL), a_message("user"), tools=[TOOL]), {("306", "/messages/1/tool_calls/0")}, id="call unanswered"
        ),
        pytest.param(
            an_example(a_message("user"), calling(CALL)), {("307", "/messages/1/tool_calls/0/function/name")}, id="undeclared tool"
        ),
        pytest.param(
            an_example(functions=[{"name": "f"}], tools=[TOOL]), {("308", "/functions"), ("309", "")}, id="functions beside tools"
        ),
        pytest.param(
            an_example(
                a_message("user"), {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}, functions=[{"name": "f"}]
            ),
            {("308", "/functions"), ("308", "/messages/1/function_call")},
            id="function call",
        ),
        pytest.param(a_conversation(a_message("function")), {("310", "/messages/1")}, id="function without name"),
        pytest.param(
            a_conversation(a_message("user", tool_calls=[CALL]), tools=[TOOL]), {("311", "/messages/1/tool_calls")}, id="call by a user"
        ),
    ],
)
def test_example_has_the_finding_of_each_tool_rule(example: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    """Each fault is found once, at its place, and nothing else."""
    assert places(example) == expected


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(an_image(), id="address"),
        pytest.param(an_image(detail="low"), id="detail"),
        pytest.param(an_image(embedded(PNG)), id="PNG"),
        pytest.param(an_image(embedded(b"\xff\xd8\xff\xe0" + bytes(30), "image/jpeg")), id="JPEG"),
        pytest.param(an_image(embedded(b"RIFF1234WEBP" + bytes(30), "image/webp")), id="WEBP"),
    ],
)
def test_image_is_accepted_when_sound(message: dict[str, Any]) -> None:
    """A public address or an embedded image passes."""
    assert found_in(an_example(message, a_message("assistant")), IMAGE_MODEL) == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(a_message("user", ["x"]), {("401", "/messages/0/content/0")}, id="part a string"),
        pytest.param(a_message("user", [{"type": "input_audio"}]), {("401", "/messages/0/content/0")}, id="audio"),
        pytest.param(a_message("user", [{"type": "image_url"}]), {("401", "/messages/0/content/0")}, id="no image_url"),
        *(
            pytest.param(an_image(url), {("404", "/messages/0/content/0/image_url/url")}, id=str(url))
            for url in (
                "file:///etc/passwd",
                "http://169.254.169.254/metadata",
                "http://127.0.0.1/a.png",
                "http://[::1]/a.png",
                "http://0x7f.1/a.png",
                "http://localhost/a.png",
                "https://vault.internal/a.png",
                "https://user:pass@example.com/a.png",
                "https://[/a.png",
                "data:image/png;base64,???",
                "javascript:alert(1)",
            )
        ),
        pytest.param(an_image(7), {("404", "/messages/0/content/0/image_url")}, id="url a number"),
        pytest.param(an_image(detail="huge"), {("405", "/messages/0/content/0/image_url/detail")}, id="detail"),
        pytest.param(an_image(embedded(b"GIF89a", "image/gif")), {("406", "/messages/0/content/0/image_url/url")}, id="GIF"),
        pytest.param(an_image(embedded(b"GIF89a" + bytes(30))), {("406", "/messages/0/content/0/image_url/url")}, id="GIF called PNG"),
        pytest.param(an_image(embedded(PNG[:25] + b"\x03" + PNG[26:])), {("406", "/messages/0/content/0/image_url/url")}, id="palette PNG"),
        pytest.param(an_image(embedded(PNG + bytes(10 * 2**20))), {("407", "/messages/0/content/0/image_url/url")}, id="over 10 MB"),
        pytest.param(a_message("user", an_image()["content"] * 65), {("408", "/messages")}, id="65 images"),
    ],
)
def test_image_has_the_finding_of_each_rule(message: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    """Each fault is found once, at its place, and nothing else."""
    assert places(an_example(message, a_message("assistant")), IMAGE_MODEL) == expected


def test_image_is_refused_when_the_model_learns_from_text_only() -> None:
    """A text model takes no images."""
    assert places(an_example(an_image(), a_message("assistant"))) == {("402", "/messages/0/content/0")}


def test_image_is_refused_in_an_answer() -> None:
    """Images belong in user messages."""
    example = an_example(a_message("user"), an_image() | {"role": "assistant"})
    assert places(example, IMAGE_MODEL) == {("209", "/messages/1/content"), ("403", "/messages/1/content/0")}


def test_findings_never_quote_the_data() -> None:
    """No text of an example stands in a finding."""
    secret = "s3cret-<script>"
    example = an_example(
        {"role": secret, "content": [{"type": secret}], secret: 1},
        a_message("user", [{"type": "image_url", "image_url": {"url": secret, "detail": secret}}], name=secret),
        {"role": "assistant", "tool_calls": [{"id": secret, "type": secret, "function": {"name": secret, "arguments": secret}}]},
        a_message("tool", tool_call_id=secret + "x"),
        **{secret: 1, "tools": [{secret: secret}]},
    )
    found = found_in(example)
    assert len(found) > 8
    assert not any("s3cret" in str(entry) for entry in found)
