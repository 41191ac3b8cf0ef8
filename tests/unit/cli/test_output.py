"""What reaches the terminal: never a live control character, never markup that came with data."""

import pytest
from rich.console import Console

from tunedrop.cli.findings import finding_line
from tunedrop.cli.output import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain, ünïcode 日本", "plain, ünïcode 日本", id="plain"),
        pytest.param("\x1b[31mred\x1b[0m", "⟦U+001B⟧[31mred⟦U+001B⟧[0m", id="ANSI colours"),
        pytest.param("\x1b]0;title\x07", "⟦U+001B⟧]0;title⟦U+0007⟧", id="terminal title"),
        pytest.param(
            "a\rb\tc\x08", "a⟦U+000D⟧b⟦U+0009⟧c⟦U+0008⟧", id="carriage return, tab, backspace"
        ),
        pytest.param("x\x9b2J", "x⟦U+009B⟧2J", id="8-bit control sequence"),
        pytest.param("txt.\u202egpj", "txt.⟦U+202E⟧gpj", id="right-to-left override"),
        pytest.param("a\u2066b\u2069", "a⟦U+2066⟧b⟦U+2069⟧", id="bidi isolates"),
        pytest.param("a\u200bb\ufeff", "a⟦U+200B⟧b⟦U+FEFF⟧", id="zero width"),
        pytest.param("a\u2028b", "a⟦U+2028⟧b", id="line separator"),
        pytest.param("\ud800", "⟦U+D800⟧", id="lone surrogate"),
        pytest.param("a\nb", "a⟦U+000A⟧b", id="line end"),
        pytest.param(
            "[bold]x[/] [link=https://a.example]y[/link]",
            "[bold]x[/] [link=https://a.example]y[/link]",
            id="markup",
        ),
    ],
)
def test_text_from_data_is_shown_as_text(text: str, shown: str) -> None:
    """What steers a terminal is shown as its code point; rich's markup is shown as it stands."""
    console = Console(file=None, width=200, emoji=False)
    with console.capture() as printed:
        console.print(visible(text), end="", highlight=False)
    assert printed.get() == shown


def test_line_ends_stay_where_lines_are_wanted() -> None:
    """`lines` keeps line ends and nothing else."""
    assert visible("a\nb\x1b", lines=True) == "a\nb⟦U+001B⟧"


@pytest.mark.parametrize(
    ("line", "field", "shown"),
    [
        pytest.param(
            3,
            "messages[1].content",
            "my.jsonl:3 messages[1].content TD-ROW-001 Wrong. — Fix it.",
            id="a field",
        ),
        pytest.param(3, "", "my.jsonl:3 TD-ROW-001 Wrong. — Fix it.", id="a line"),
        pytest.param(None, "", "my.jsonl TD-ROW-001 Wrong. — Fix it.", id="the whole file"),
        pytest.param(
            1,
            "[red]\x1b",
            "my.jsonl:1 [red]⟦U+001B⟧ TD-ROW-001 Wrong. — Fix it.",
            id="a hostile field",
        ),
    ],
)
def test_finding_is_told_as_compilers_do(line: int | None, field: str, shown: str) -> None:
    """Place, field, code, message, fix; data in the field's name stays text."""
    told = {
        "line": line,
        "field": field,
        "code": "TD-ROW-001",
        "severity": "error",
        "message": "Wrong.",
        "fix": "Fix it.",
    }
    console = Console(width=200, emoji=False)
    with console.capture() as printed:
        console.print(finding_line("my.jsonl", told), end="", highlight=False)
    assert printed.get() == shown
