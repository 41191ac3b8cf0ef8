"""Every text that a service gives us, made fit to be kept and shown: without secrets, without
control characters, and cut.

What passes here may stand in ledger, history, log, answer and report; nothing of a service stands
there otherwise.
"""

import re

from shared.settings import settings, storage_connection

MESSAGE_CHARS = 600
CODE_CHARS = 64
ID_CHARS = 128
_LOOKED_AT_CHARS = 32_768
# No key or token is longer; so much of the end of a text that was cut is left out, since a secret
# could be cut there in two.
_SECRET_MOST_CHARS = 8_192

_SECRETS = (
    (re.compile(r"(?i)\bbearer\s+[\w.~+/=-]{16,}"), "Bearer [token]"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.?[\w-]*"), "[token]"),
    (
        re.compile(
            r"(?i)\b(sig|AccountKey|SharedAccessKey|SharedAccessSignature|client_secret|access_token|refresh_token)\b(\"?\s*[=:]\s*\"?)[^&;,\s\"']+"
        ),
        r"\1\2[secret]",
    ),
    (
        re.compile(
            r"(?i)\b(api[-_ ]key|x-functions-key|x-identity-header)\b(\"?\s*[=:]\s*\"?)[^&;,\s\"']+"
        ),
        r"\1\2[key]",
    ),
    (re.compile(r"\bsk-[\w-]{16,}"), "[key]"),
)
_ACCOUNT_KEY = re.compile(r"(?i)AccountKey=([^;\s]+)")
_UNFIT = re.compile(r"[^\w.:-]+", re.ASCII)


def told(text: object, most: int = MESSAGE_CHARS) -> str:
    """A text of a service in one line, for people; "" for what is no text."""
    if not isinstance(text, str):
        return ""
    # Nothing bounds how long a service's text is, and some refusals quote the key or the signature
    # that they were sent.
    clean = _without_secrets(text[:_LOOKED_AT_CHARS])
    if len(text) > _LOOKED_AT_CHARS:
        # A secret that the cut went through is no longer known as one.
        clean = clean[:-_SECRET_MOST_CHARS]
    line = " ".join(
        "".join(character if character.isprintable() else " " for character in clean).split()
    )
    return line if len(line) <= most else line[: most - 1] + "…"


def code(text: object) -> str:
    """A code of a service: letters, digits and its signs; "unknown" where there is none."""
    return (
        _UNFIT.sub("", told(str(text), CODE_CHARS) if isinstance(text, str | int) else "")[
            :CODE_CHARS
        ]
        or "unknown"
    )


def ident(text: object) -> str | None:
    """The id of a request, for a question to Azure's support; None where there is none."""
    return _UNFIT.sub("", told(text, ID_CHARS)) or None


def _without_secrets(text: str) -> str:
    for secret in _own_secrets():
        text = text.replace(secret, "[key]")
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _own_secrets() -> list[str]:
    """The keys that this process sends, by value."""
    # Nothing but their value tells a key from a word.
    key, storage = settings().openai_api_key, storage_connection().connection_string
    found = [key.get_secret_value()] if key else []
    return [
        secret
        for secret in (
            *found,
            *(_ACCOUNT_KEY.findall(storage.get_secret_value()) if storage else []),
        )
        if secret
    ]
