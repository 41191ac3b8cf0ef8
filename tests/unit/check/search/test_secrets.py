"""Secrets: each kind is found in three guises, and what only resembles it three times is not."""

import base64
import string

import pytest

from tests.unit.check.search.builders import a_line, kinds_in, made_up
from tunedrop_check.contents.search import blocks, secrets

HEX = "0123456789abcdef"
BASE64 = string.ascii_letters + string.digits + "+/"
CAPITALS32 = string.ascii_uppercase + "234567"

AWS = "AKI" + "A" + made_up(16, CAPITALS32)
GITHUB = "gh" + "p_" + made_up(36)
GITHUB_FINE = "github_" + "pat_" + made_up(82)
SLACK = (
    "xox" + "b-" + made_up(12, string.digits) + "-" + made_up(12, string.digits) + "-" + made_up(24)
)
SLACK_HOOK = (
    "https://hooks." + "slack.com/services/T" + made_up(8) + "/B" + made_up(8) + "/" + made_up(24)
)
STRIPE = "sk_" + "live_" + made_up(24)
GOOGLE = "AI" + "za" + made_up(35)
OPENAI = "sk" + "-" + made_up(20) + "T3Blbk" + "FJ" + made_up(20)
OPENAI_PROJECT = "sk" + "-proj-" + made_up(74) + "T3Blbk" + "FJ" + made_up(74)
ANTHROPIC = "sk" + "-ant-api03-" + made_up(93) + "AA"
STORAGE = made_up(86, BASE64) + "=="
STORAGE_MARKED = made_up(76, BASE64) + "+A" + "St" + made_up(6, BASE64) + "=="
SHARED_KEY = "Shared" + "AccessKey=" + made_up(43, BASE64) + "="
SIGNATURE = "si" + "g=" + made_up(43) + "%3D"
CLIENT_SECRET = made_up(3) + "8Q" + "~" + made_up(33)
AI_KEY = made_up(32, HEX)
AI_KEY_MARKED = made_up(52) + "JQQ" + "J99" + "BA" + made_up(24)
NPM = "np" + "m_" + made_up(36)
PYPI = "pypi" + "-AgE" + made_up(80)
HUGGING_FACE = "h" + "f_" + made_up(34, string.ascii_letters)
SENDGRID = "S" + "G." + made_up(22) + "." + made_up(43)
TWILIO = "S" + "K" + made_up(32, HEX)
GITLAB = "gl" + "pat-" + made_up(20)
DATABRICKS = "da" + "pi" + made_up(32, HEX)
WEB_TOKEN = ".".join(
    [
        base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("="),
        base64.urlsafe_b64encode(b'{"sub":"1234567890","name":"Ann"}').decode().rstrip("="),
        made_up(43),
    ]
)
KEY_BODY = made_up(64, BASE64)
BEGIN, END = "-----BEGIN ", "-----END "
PEM = f"{BEGIN}PRIVATE KEY-----\n{KEY_BODY}\n{END}PRIVATE KEY-----"

FOUND = {
    "AWS access key": [AWS, f"id={AWS};", "ASI" + AWS[3:]],
    "GitHub token": [GITHUB, "gh" + "o_" + GITHUB[4:], f"https://x:{GITHUB}@github.com/a/b"],
    "GitHub fine-grained token": [GITHUB_FINE, f"token {GITHUB_FINE}.", f"({GITHUB_FINE})"],
    "Slack token": [
        SLACK,
        SLACK.replace("xoxb", "xoxp"),
        "xa" + "pp-1-A" + made_up(10, CAPITALS32) + "-" + made_up(60),
    ],
    "Slack webhook": [
        SLACK_HOOK,
        f"POST {SLACK_HOOK}\n",
        SLACK_HOOK.replace("services", "workflows"),
    ],
    "Stripe key": [STRIPE, "rk" + STRIPE[2:], f"key: '{STRIPE}'"],
    "Google API key": [GOOGLE, f"?key={GOOGLE}&v=1", f"\n{GOOGLE}"],
    "OpenAI key": [OPENAI, OPENAI_PROJECT, f"OPENAI_API_KEY={OPENAI}"],
    "Anthropic key": [ANTHROPIC, f'"{ANTHROPIC}"', ANTHROPIC.replace("api03", "admin01")],
    "Azure storage key": [
        "AccountName=a;Account" + f"Key={STORAGE};",
        STORAGE_MARKED,
        f"key is {STORAGE_MARKED}",
    ],
    "Azure shared access key": [
        SHARED_KEY,
        f"Endpoint=sb://a.servicebus.windows.net/;{SHARED_KEY}",
        f"{SHARED_KEY};EntityPath=x",
    ],
    "Azure shared access signature": [
        f"?sv=2024-11-04&{SIGNATURE}",
        SIGNATURE.replace("%3D", "="),
        f"sp=r&{SIGNATURE}&se=2027",
    ],
    "Azure client secret": [CLIENT_SECRET, f"secret: {CLIENT_SECRET}", f"'{CLIENT_SECRET}'"],
    "Azure AI services key": [AI_KEY_MARKED, f"api-key: {AI_KEY}", f'AZURE_OPENAI_KEY="{AI_KEY}"'],
    "npm token": [NPM, f"_authToken={NPM}", f"\t{NPM}"],
    "PyPI token": [PYPI, f"password = {PYPI}", f"<{PYPI}>"],
    "Hugging Face token": [HUGGING_FACE, f"HF_TOKEN={HUGGING_FACE}", f"Bearer {HUGGING_FACE}"],
    "SendGrid key": [SENDGRID, f"Bearer {SENDGRID}", f"[{SENDGRID}]"],
    "Twilio key": [TWILIO, f"sid {TWILIO},", f"\r\n{TWILIO}"],
    "GitLab token": [GITLAB, f"PRIVATE-TOKEN: {GITLAB}", f"oauth2:{GITLAB}@gitlab.com"],
    "Databricks token": [DATABRICKS, f"{DATABRICKS}-2", f"token={DATABRICKS}"],
    "JSON web token": [WEB_TOKEN, f"Bearer {WEB_TOKEN}", f"\n{WEB_TOKEN}\n"],
    "private key": [
        PEM,
        PEM.replace("PRIVATE", "RSA PRIVATE"),
        f"{BEGIN}EC PRIVATE KEY-----\\n{KEY_BODY}",
    ],
    "address with a password": [
        "postgres://ann:s3cr3tly@db:5432/a",
        "mongodb+srv://a:p4ssw0rds@c.net",
        "https://ann:Tr0ub4dor@corp.com",
    ],
}

NOT_FOUND = {
    "AWS access key": [AWS[:-1], "X" + AWS, "AKI" + "A" + "IOSFODNN7EXAMPLE"],
    "GitHub token": [GITHUB[:-1], "gh" + "p_" + "x" * 36, "a" + GITHUB],
    "GitHub fine-grained token": [
        GITHUB_FINE[:-1],
        "github_" + "pat_" + "x" * 82,
        "the github_pat_ prefix",
    ],
    "Slack token": [
        "xoxb-your-token",
        "xox" + "b-" + "1" * 12 + "-" + "1" * 30,
        "foxox" + "b-1-abcdefghijklmnopq",
    ],
    "Slack webhook": [
        "https://hooks.slack.com/services/T00/B00/XXXX",
        "hooks." + "slack.com/services/" + "X" * 44,
        "see hooks.slack.com/",
    ],
    "Stripe key": [
        "sk_" + "test_" + made_up(24),
        "sk_" + "live_" + "x" * 24,
        "task_" + "live_" + made_up(24),
    ],
    "Google API key": [GOOGLE[:-1], GOOGLE + "x", "AI" + "za" + "X" * 35],
    "OpenAI key": ["sk-learn-based-pipelines-and-models", "sk" + "-proj-your-key", "ta" + OPENAI],
    "Anthropic key": ["sk-ant-api03-...", "sk" + "-ant-api03-" + "x" * 95, "ri" + ANTHROPIC],
    "Azure storage key": [
        "AccountKey=<key>;",
        "Account" + "Key=Eby8vdM02" + made_up(77, BASE64) + "==",
        STORAGE,
    ],
    "Azure shared access key": [
        "SharedAccessKey=<key>",
        SHARED_KEY[:-2] + "=",
        "Shared" + "AccessKey=" + "x" * 43 + "=",
    ],
    "Azure shared access signature": [
        "sig=<signature>",
        "con" + SIGNATURE.replace("sig", "fig"),
        "si" + "g=" + "0" * 43 + "%3D",
    ],
    "Azure client secret": ["8Q~", CLIENT_SECRET[:-8], "abc8Q~" + "x" * 33],
    "Azure AI services key": [AI_KEY, f"md5 key: {AI_KEY}", "api-key: " + "0" * 32],
    "npm token": [NPM[:-1], "np" + "m_" + "x" * 36, "npm_config_registry_and_many_more_words"],
    "PyPI token": ["pypi-AgEIcHlwaS5vcmc", "a" + PYPI, "pypi" + "-AgE" + "x" * 80],
    "Hugging Face token": [HUGGING_FACE[:-1], "sel" + HUGGING_FACE, "h" + "f_" + "x" * 34],
    "SendGrid key": [SENDGRID[:-1], "MS" + SENDGRID[1:], "SG.example.key"],
    "Twilio key": [TWILIO[:-1], TWILIO + "0", "S" + "K" + "0" * 32],
    "GitLab token": ["glpat-xxxxxxxxxxxxxxxxxxxx", GITLAB[:-1], "a" + GITLAB],
    "Databricks token": [DATABRICKS[:-1], "da" + "pi" + "0" * 32, "a" + DATABRICKS],
    "JSON web token": [
        WEB_TOKEN.rsplit(".", 1)[0],
        "eyJ" + WEB_TOKEN.replace("eyJ", "eyX"),
        f"eyJ{made_up(20)}.eyJ{made_up(20)}.{made_up(43)}",
    ],
    "private key": [
        f"{BEGIN}PRIVATE KEY-----",
        f"{BEGIN}PUBLIC KEY-----\n{KEY_BODY}",
        f"{BEGIN}PRIVATE KEY-----\n...\n{END}PRIVATE KEY-----",
    ],
    "address with a password": [
        "postgres://user:password@db/a",
        "postgres://ann:${PASSWORD}@db/a",
        "http://localhost:8080/a@b",
        "ftp://ann:s3cr3tly@example.com/",
    ],
}


def each(cases: dict[str, list[str]]) -> list[object]:
    """A row for each text, told by kind and number."""
    return [
        pytest.param(kind, text, id=f"{kind} {number}")
        for kind, texts in cases.items()
        for number, text in enumerate(texts, 1)
    ]


@pytest.mark.parametrize(("kind", "text"), each(FOUND))
def test_secret_is_found(kind: str, text: str) -> None:
    """A secret of each kind is found in running text."""
    assert kind in kinds_in(f"Use this: {text} and go on.")


@pytest.mark.parametrize(("kind", "text"), each(FOUND))
def test_secret_is_found_in_escapes(kind: str, text: str) -> None:
    """A secret is found where the writer of the line escaped slashes and ASCII, as PHP, Go and .NET
    do.
    """
    line = (
        a_line(f"é\n{text}\n", ensure_ascii=True)
        .replace(b"/", b"\\/")
        .replace(b"+", b"\\u002B")
        .replace(b"=", b"\\u003d")
    )
    assert kind in [hit.kind for hit in blocks.search(line)]


@pytest.mark.parametrize(("kind", "text"), each(NOT_FOUND))
def test_near_miss_is_not_found(kind: str, text: str) -> None:
    """What is too short, part of a word, or a placeholder, is none."""
    assert kind not in kinds_in(f"Use this: {text}")


def test_each_kind_is_tested_thrice_both_ways() -> None:
    """No kind is without its three secrets and three near-misses."""
    names = {kind.name for kind in secrets.KINDS}
    assert len(names) >= 20
    assert names == FOUND.keys() == NOT_FOUND.keys()
    assert all(len(texts) >= 3 for cases in (FOUND, NOT_FOUND) for texts in cases.values())


@pytest.mark.parametrize(("kind", "text"), each(FOUND))
def test_hit_shows_four_characters_at_most(kind: str, text: str) -> None:
    """No more than the first four characters leave the search, and a password none at all."""
    shown = [hit.start for hit in blocks.search(a_line(text)) if hit.kind == kind]
    assert len(shown) == 1
    assert len(shown[0]) <= 4
    assert shown[0] in text
    assert kind != "address with a password" or text.startswith(shown[0])
