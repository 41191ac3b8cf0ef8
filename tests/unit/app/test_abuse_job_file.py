"""Hostile job.json: each is refused with the field, or lowered to what the app allows with a note;
no value is ever quoted.
"""

import json
from typing import Any

import pytest

from shared.errors import PlanRejected
from shared.models.plan import Pin, Plan
from shared.runs import planning
from shared.settings import Settings
from tests.builders import a_drop

PIN = Pin(blob="travel/training_set.jsonl", etag="0x1", bytes=10)
OWNER: dict[str, Any] = {
    "budget_usd": 5,
    "max_capacity": 20,
    "allowed_models": ["gpt-4.1-mini-2025-04-14"],
}
CANARY = "canary4711"


def planned(content: bytes) -> Plan:
    """What becomes of this job.json under an owner who allows little."""
    return planning.planned(a_drop(), planning.parsed(content), Settings(**OWNER), PIN, None, None)


def of(**fields: Any) -> bytes:
    """A job.json of these fields."""
    return json.dumps(fields).encode()


NOT_JSON = [
    pytest.param(b"", "syntax error at line 1", id="empty"),
    pytest.param(b"{", "syntax error at line 1", id="cut off"),
    pytest.param(b'{"seed": 1,}', "syntax error", id="trailing comma"),
    pytest.param(b'{"seed": 1} {"seed": 2}', "syntax error", id="two documents"),
    pytest.param(b'{"seed": 1} // why', "syntax error", id="comment"),
    pytest.param(b"{'seed': 1}", "syntax error", id="single quotes"),
    pytest.param(b"seed: 1", "syntax error", id="YAML"),
    pytest.param(b"a: &a [*a, *a]", "syntax error", id="YAML that grows"),
    pytest.param(b'{"seed": "\x00"}', "syntax error", id="NUL"),
    pytest.param(b"\xef\xbb\xbf{", "syntax error", id="byte-order mark and half"),
    pytest.param('{"seed": 1}'.encode("utf-16"), "not UTF-8 at byte 0", id="UTF-16"),
    pytest.param(b'{"suffix": "\xed\xa0\x80"}', "not UTF-8 at byte 12", id="surrogate in UTF-8"),
    pytest.param(b'{"seed": NaN}', "NaN and Infinity", id="NaN"),
    pytest.param(b'{"budget": {"usd": Infinity}}', "NaN and Infinity", id="Infinity"),
    pytest.param(b'{"budget": {"usd": 1e999}}', "a number is too large", id="1e999"),
    pytest.param(b'{"seed": ' + b"9" * 5000 + b"}", "a number is too large", id="5,000 digits"),
    pytest.param(b'{"seed": 1, "seed": 2}', "same field twice", id="field twice"),
    pytest.param(
        b'{"budget": {"usd": 1, "usd": 999}}', "same field twice", id="field twice inside"
    ),
    pytest.param(b"[" * 65 + b"]" * 65, "nested deeper than 64", id="depth of 65"),
    pytest.param(b'{"a":' * 50_000, "nested deeper than 64", id="depth of 50,000"),
    pytest.param(
        b'{"suffix": "' + b"a" * (256 * 1024) + b'"}', "larger than 256 KB", id="256 KB and more"
    ),
]
WRONG = [
    pytest.param(b"[]", "the whole must be", id="list"),
    pytest.param(b'"job"', "the whole must be", id="string"),
    pytest.param(of(surprise=CANARY), "an unknown field `surprise`", id="unknown field"),
    pytest.param(
        of(**{f"<{CANARY}>": 1}), "an unknown field.", id="unknown field whose name is text"
    ),
    pytest.param(of(modle="x"), "did you mean `model`", id="misspelt field"),
    pytest.param(
        of(hyperparameters={"epochs": 3}),
        "did you mean `hyperparameters.n_epochs`",
        id="misspelt field inside",
    ),
    pytest.param(
        of(smoke_test={"messages": [{"role": "user", "content": "x", "weigth": CANARY}]}),
        "`weigth` in smoke_test",
        id="in a list",
    ),
    pytest.param(of(__proto__={"admin": True}), "an unknown field", id="prototype pollution"),
    pytest.param(
        of(__class__="C", __module__="os", __data__=CANARY),
        "an unknown field",
        id="custom-object envelope",
    ),
    pytest.param(of(auto_promote=True), "an unknown field", id="right that nobody gave"),
    pytest.param(of(budget_usd=10**9), "did you mean", id="the owner's setting"),
    pytest.param(of(TUNEDROP_BUDGET_USD=10**9), "an unknown field", id="an environment variable"),
    pytest.param(of(model=1), "`model`", id="number for the model"),
    pytest.param(of(model="m" * 65), "`model`", id="model of 65 characters"),
    pytest.param(of(model=""), "`model`", id="empty model"),
    pytest.param(
        of(model="${OPENAI_API_KEY}"), "not in the list of allowed", id="variable for the model"
    ),
    pytest.param(of(model="gpt-4.1-2025-04-14"), "not in the list of allowed", id="dearer model"),
    pytest.param(
        of(model="blob:v1:training:secret"),
        "not in the list of allowed",
        id="reference of the engine for the model",
    ),
    pytest.param(of(seed=2**63), "`seed`", id="seed of 2 to the 63"),
    pytest.param(of(seed=-1), "`seed`", id="negative seed"),
    pytest.param(of(seed=1.5), "`seed`", id="seed that is no integer"),
    pytest.param(of(seed="1"), "`seed`", id="seed in a string"),
    pytest.param(of(seed=True), "`seed`", id="true for the seed"),
    pytest.param(of(hyperparameters={"n_epochs": 10**6}), "n_epochs", id="a million epochs"),
    pytest.param(of(hyperparameters={"n_epochs": 0}), "n_epochs", id="no epochs"),
    pytest.param(of(hyperparameters={"batch_size": 10**6}), "batch_size", id="batch of a million"),
    pytest.param(
        of(hyperparameters={"learning_rate_multiplier": 1e300}),
        "learning_rate_multiplier",
        id="learning rate of 1e300",
    ),
    pytest.param(
        of(hyperparameters={"learning_rate_multiplier": -1}),
        "learning_rate_multiplier",
        id="negative learning rate",
    ),
    pytest.param(of(budget={"usd": -1}), "`budget.usd`", id="negative budget"),
    pytest.param(of(budget={"usd": "1000000"}), "`budget.usd`", id="budget in a string"),
    pytest.param(of(budget=None, notify=5), "`notify`", id="number for an object"),
    pytest.param(of(deployment={"capacity": 0}), "`deployment.capacity`", id="no capacity"),
    pytest.param(
        of(deployment={"name": "../../accounts/other"}),
        "`deployment.name`",
        id="traversal in the deployment",
    ),
    pytest.param(
        of(deployment={"name": "a?api-version=1"}),
        "`deployment.name`",
        id="query in the deployment",
    ),
    pytest.param(
        of(deployment={"name": "<b>"}), "`deployment.name`", id="markup in the deployment"
    ),
    pytest.param(
        of(deployment={"name": "a" * 65}), "`deployment.name`", id="deployment of 65 characters"
    ),
    pytest.param(of(suffix="a b"), "`suffix`", id="space in the suffix"),
    pytest.param(of(suffix="\U0001f4a3"), "`suffix`", id="emoji suffix"),
    pytest.param(of(suffix="a" * 41), "`suffix`", id="suffix of 41 characters"),
    pytest.param(of(suffix="a\n"), "`suffix`", id="newline after the suffix"),
    pytest.param(of(training_type="Free"), "`training_type`", id="training type that isn't"),
    pytest.param(
        of(api_versions={"training": "2025-04-01&x=1"}),
        "`api_versions.training`",
        id="query in the api-version",
    ),
    pytest.param(
        of(api_versions={"training": "\uff12\uff10\uff12\uff15-04-01"}),
        "`api_versions.training`",
        id="full-width api-version",
    ),
    pytest.param(
        of(smoke_test={"messages": [{"role": "root", "content": "x"}]}),
        "smoke_test.messages.0.role",
        id="unknown role",
    ),
    pytest.param(
        of(smoke_test={"messages": [{"role": "user", "content": "x" * 20_001}]}),
        "content",
        id="message of 20,001 characters",
    ),
    pytest.param(
        of(smoke_test={"messages": [{"role": "user", "content": "x"}] * 51}),
        "smoke_test.messages",
        id="51 messages",
    ),
    pytest.param(
        of(smoke_test={"messages": [{"role": "user", "content": "\ud800"}]}),
        "content",
        id="lone surrogate in a message",
    ),
]
NOT_YET = [
    pytest.param(of(notify={"url": url}), id=f"webhook to {what}")
    for what, url in {
        "the metadata address": "http://169.254.169.254/metadata/identity/oauth2/token",
        "Azure's wire server": "http://168.63.129.16/",
        "this machine": "http://127.0.0.1:10000/devstoreaccount1",
        "this machine by name": "https://localhost/",
        "this machine in IPv6": "https://[::1]/",
        "this machine in octal": "http://0177.0.0.1/",
        "this machine as a number": "http://2130706433/",
        "a private network": "https://10.0.0.1/",
        "a name that rebinds": "https://7f000001.0a000001.rbndr.example/",
        "a file": "file:///etc/passwd",
        "another protocol": "gopher://127.0.0.1:25/",
        "an address with a password": "https://user:pass@example.com/",
        "a script": "javascript:alert(1)",
    }.items()
]
LOWERED = [
    pytest.param(
        of(deployment={"capacity": 10**9}),
        "deployment.capacity was lowered from 1e+09 to 20",
        id="capacity of 10 to the 9",
    ),
    pytest.param(
        of(deployment={"capacity": 21}),
        "deployment.capacity was lowered from 21 to 20",
        id="one unit too much",
    ),
    pytest.param(
        of(budget={"usd": 10**9}),
        "budget.usd was lowered from 1e+09 to 5",
        id="budget of 10 to the 9",
    ),
    pytest.param(
        of(budget={"usd": 5.01}), "budget.usd was lowered from 5.01 to 5", id="a cent too much"
    ),
]


@pytest.mark.parametrize(("content", "told"), NOT_JSON)
def test_bytes_that_are_no_settings_are_refused_with_the_place(content: bytes, told: str) -> None:
    """By the reason and the place, before anything is made of them."""
    with pytest.raises(PlanRejected) as refused:
        planned(content)
    assert refused.value.problem.code == "TD-PLAN-001"
    assert told in refused.value.problem.message


@pytest.mark.parametrize(("content", "told"), WRONG)
def test_wrong_field_is_refused_by_name(content: bytes, told: str) -> None:
    """The field is named, its value and a name that could be text are not."""
    with pytest.raises(PlanRejected) as refused:
        planned(content)
    assert refused.value.problem.code in {"TD-PLAN-002", "TD-PLAN-004"}
    assert told in refused.value.problem.message
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("content", NOT_YET)
def test_address_to_call_is_refused_and_not_called(content: bytes) -> None:
    """Nothing calls an address of a drop yet; that is said, wherever it leads."""
    with pytest.raises(PlanRejected) as refused:
        planned(content)
    assert refused.value.problem.code == "TD-PLAN-003"


@pytest.mark.parametrize(("content", "told"), LOWERED)
def test_limit_that_an_uploader_may_not_raise_is_lowered_and_told(
    content: bytes, told: str
) -> None:
    """The run goes on with the owner's limit, and the report says so."""
    plan = planned(content)
    assert plan.budget_usd <= OWNER["budget_usd"]
    assert plan.deployment.capacity <= OWNER["max_capacity"]
    assert [note for note in plan.clamped if told in note] == list(plan.clamped) != []
