"""Keys, tokens and passwords of known shapes; high precision goes before completeness."""

import base64
import binascii

import msgspec

from ...rules import content_rules as rules
from .kinds import (
    ALPHANUMERIC,
    DIGITS,
    WINDOW,
    Kind,
    Lead,
    Look,
    begins_word,
    ends_word,
    is_varied,
    token,
)
from .patterns import compiled

_PLACEHOLDERS = frozenset(
    [
        "changeme",
        "example",
        "hunter2",
        "mypassword",
        "pass",
        "passwd",
        "password",
        "placeholder",
        "pwd",
        "secret",
        "test",
        "user",
        "xxx",
    ]
)
_EMULATOR_KEY = b"Eby8vdM02"
_KEY_CONTEXTS = (
    b"openai",
    b"azure",
    b"cognitive",
    b"subscription",
    b"speech",
    b"translator",
    b"search",
    b"api-",
    b"aoai",
)

_B64 = r"[A-Za-z0-9+/]"
_URL64 = r"[A-Za-z0-9_-]"


def _preceded(length: int, pattern: str) -> Look:
    """The look for a value whose tell-tale stands inside it, `length` bytes after its beginning."""
    whole = token(pattern)

    def look(text: bytes, start: int) -> int | None:
        return whole(text, start - length) if start >= length else None

    return look


def _storage_key(pattern: str) -> Look:
    exact = token(pattern)

    def look(text: bytes, start: int) -> int | None:
        value = exact(text, start)
        # The emulator's key is the same for everybody, and public.
        return None if value is None or text.startswith(_EMULATOR_KEY, value) else value

    return look


_HEX_KEY = compiled(r"[Kk][Ee][Yy][\\\"' ]{0,4}[:=][\\\"' ]{0,4}([0-9a-f]{32})")
_NAME_CHARACTERS = ALPHANUMERIC.encode() + b"_- "


def _assigned_key(text: bytes, start: int) -> int | None:
    found = _HEX_KEY.match(text, start, start + WINDOW)
    if found is None or not ends_word(text, found.end()) or not is_varied(found[1]):
        return None
    before = text[max(start - 40, 0) : start]
    name = before[len(before.rstrip(_NAME_CHARACTERS)) :].lower()
    return found.start(1) if any(context in name for context in _KEY_CONTEXTS) else None


_PRIVATE_KEY = compiled(
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:\\+[nr]| )+(?:[A-Za-z-]{1,20}: [^\\\n]{0,80}(?:\\+[nr]| )+){0,3}[A-Za-z0-9+/=]{40}"
)


def _private_key(text: bytes, start: int) -> int | None:
    return start if _PRIVATE_KEY.match(text, start, start + WINDOW) else None


_JWT = compiled(rf"(eyJ{_URL64}{{10,}})\.eyJ{_URL64}{{10,}}\.{_URL64}{{20,}}")


def _jwt(text: bytes, start: int) -> int | None:
    found = _JWT.match(text, start, start + WINDOW)
    if found is None or not begins_word(text, start):
        return None
    try:
        header: object = msgspec.json.decode(base64.urlsafe_b64decode(found[1] + b"=="))
    except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError):
        return None
    return start if isinstance(header, dict) and "alg" in header else None


_PASSWORD = compiled(r"://[^\s/:@\"\\?#]{0,64}:([^\s/@\"\\]{3,128})@([A-Za-z0-9\[][A-Za-z0-9.-]*)")
_SCHEME = ALPHANUMERIC.encode() + b"+.-"


def _password(text: bytes, start: int) -> int | None:
    found = (
        _PASSWORD.match(text, start, start + WINDOW)
        if text.find(b"@", start, start + 200) > 0
        else None
    )
    if found is None:
        return None
    before = text[max(start - 24, 0) : start]
    scheme = before[len(before.rstrip(_SCHEME)) :]
    password = found[1]
    if found[2].lower().endswith((b"example.com", b"example.net", b"example.org")):
        return None
    is_placeholder = (
        password[:1] in b"<{$%*[("
        or password.decode("latin-1").lower() in _PLACEHOLDERS
        or len(set(password)) < 3
    )
    return None if is_placeholder or len(scheme) < 2 else start - len(scheme)


def _secret(name: str, look: Look, *leads: Lead) -> Kind:
    return Kind(name, rules.SECRET, leads, look)


# Every kind of secret that is known here.
# The shapes are those that the issuers publish, and that the common scanners agree on (gitleaks,
# Microsoft's list of identifiable keys).
KINDS = (
    _secret(
        "AWS access key", token(r"A[KSBC][ICA]A[A-Z2-7]{16}"), Lead("A", "KSBC", "[IC]A[A-Z2-7]{4}")
    ),
    _secret(
        "GitHub token",
        token(r"gh[pousr]_[A-Za-z0-9]{36}"),
        Lead("g", "h", "[pousr]_[A-Za-z0-9]{8}"),
    ),
    _secret(
        "GitHub fine-grained token",
        token(r"github_pat_[A-Za-z0-9_]{82}"),
        Lead("g", "i", "thub_pat_"),
    ),
    _secret(
        "Slack token",
        token(r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9]{1,14}-[A-Za-z0-9-]{16,200}"),
        Lead("x", "o", "x[abeoprs]-[A-Za-z0-9]"),
        Lead("x", "a", "pp-[A-Za-z0-9]"),
    ),
    _secret(
        "Slack webhook",
        token(r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{40,80})"),
        Lead("h", "o", r"oks\.slack\.com/"),
    ),
    _secret(
        "Stripe key",
        token(r"[sr]k_(?:live|prod)_[A-Za-z0-9]{16,128}"),
        Lead("sr", "k", "_(?:live|prod)_"),
    ),
    _secret("Google API key", token(rf"AIza{_URL64}{{35}}"), Lead("A", "I", f"za{_URL64}{{8}}")),
    _secret(
        "OpenAI key",
        token(
            rf"sk-(?:[A-Za-z0-9]{{20}}T3BlbkFJ[A-Za-z0-9]{{20}}|(?:proj|svcacct|admin)-{_URL64}{{40,200}})"
        ),
        Lead("s", "k", f"-{_URL64}{{16}}"),
    ),
    _secret(
        "Anthropic key",
        token(rf"sk-ant-[a-z]{{3,8}}[0-9]{{2}}-{_URL64}{{80,120}}"),
        Lead("s", "k", "-ant-"),
    ),
    _secret(
        "Azure storage key",
        _storage_key(rf"AccountKey=({_B64}{{86}}==)"),
        Lead("A", "c", f"countKey={_B64}{{8}}"),
    ),
    _secret(
        "Azure storage key",
        _preceded(76, rf"{_B64}{{76}}\+ASt{_B64}{{6}}=="),
        Lead("+", "A", f"St{_B64}{{6}}=="),
    ),
    _secret(
        "Azure shared access key",
        token(rf"SharedAccessKey=({_B64}{{43}}=)"),
        Lead("S", "h", f"aredAccessKey={_B64}{{8}}"),
    ),
    _secret(
        "Azure shared access signature",
        token(r"sig=((?:[A-Za-z0-9+/]|%2[BbFf]){43}(?:=|%3[Dd]))"),
        Lead("s", "i", "g=(?:[A-Za-z0-9+/]|%2[BbFf]){8}"),
    ),
    _secret(
        "Azure client secret",
        _preceded(3, r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"),
        Lead(DIGITS, "Q", "~[A-Za-z0-9_~.-]{8}"),
    ),
    _secret(
        "Azure AI services key",
        _preceded(52, r"[A-Za-z0-9]{52}JQQJ9[9DH][A-Za-z0-9][A-L][A-Za-z0-9]{24}"),
        Lead("J", "Q", "QJ9[9DH]"),
    ),
    _secret(
        "Azure AI services key",
        _assigned_key,
        Lead("Kk", "Ee", r"[Yy][\\\"' ]{0,4}[:=][\\\"' ]{0,4}[0-9a-f]{16}"),
    ),
    _secret("npm token", token(r"npm_[A-Za-z0-9]{36}"), Lead("n", "p", "m_[A-Za-z0-9]{8}")),
    _secret("PyPI token", token(rf"pypi-AgE{_URL64}{{60,}}"), Lead("p", "y", "pi-AgE")),
    _secret("Hugging Face token", token(r"hf_[A-Za-z]{34}"), Lead("h", "f", "_[A-Za-z]{8}")),
    _secret(
        "SendGrid key",
        token(rf"SG\.{_URL64}{{22}}\.{_URL64}{{43}}"),
        Lead("S", "G", rf"\.{_URL64}{{8}}"),
    ),
    _secret("Twilio key", token(r"SK[0-9a-f]{32}"), Lead("S", "K", "[0-9a-f]{8}")),
    _secret(
        "GitLab token", token(rf"glpat-{_URL64}{{20,64}}"), Lead("g", "l", f"pat-{_URL64}{{8}}")
    ),
    _secret(
        "Databricks token", token(r"dapi[0-9a-f]{32}(?:-[0-9])?"), Lead("d", "a", "pi[0-9a-f]{8}")
    ),
    _secret("JSON web token", _jwt, Lead("e", "y", f"J{_URL64}{{8,}}")),
    Kind(
        "private key",
        rules.PRIVATE_KEY,
        (Lead("-", "-", "---BEGIN [A-Z0-9 ]*PRIVATE KEY"),),
        _private_key,
    ),
    Kind(
        "address with a password",
        rules.PASSWORD,
        (Lead(":", "/", r"/[^\s/:@\"\\?#]*:"),),
        _password,
    ),
)
