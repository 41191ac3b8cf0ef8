"""What of a module's syntax Python 3.11 can't read."""

import ast
import io
import tokenize
from collections.abc import Iterator


def too_new(source: str) -> list[str]:
    """Each place with newer syntax, as `line: what`: type parameters and statements (PEP 695),
    freer f-strings (PEP 701), all else.
    """
    try:
        ast.parse(source, feature_version=(3, 11))
    except SyntaxError as error:
        return [f"{error.lineno}: {error.msg}"]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [f"{token.start[0]}: {what}" for token, what in _in_expressions(tokens)]


def _in_expressions(
    tokens: Iterator[tokenize.TokenInfo],
) -> Iterator[tuple[tokenize.TokenInfo, str]]:
    """What stands inside an f-string's braces and could not before Python 3.12; a literal that
    holds several is told once.
    """
    quotes: list[str] = []
    for token in tokens:
        if quotes and (what := _wrong_in(token, quotes[-1])):
            yield token, what
        if token.type == tokenize.FSTRING_START:
            quotes.append(token.string.lstrip("rRfFbBuU"))
        elif token.type == tokenize.FSTRING_END:
            quotes.pop()


def _wrong_in(token: tokenize.TokenInfo, quote: str) -> str:
    if token.type == tokenize.COMMENT:
        return "a comment in an f-string"
    if token.type in (tokenize.STRING, tokenize.FSTRING_START):
        if quote in token.string:
            return "the quotes of the f-string inside it"
        if "\\" in token.string:
            return "a backslash in an f-string's expression"
    return "a line end in an f-string" if token.type == tokenize.NL and len(quote) == 1 else ""
