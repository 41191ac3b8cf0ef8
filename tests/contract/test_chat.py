"""Chat completions of deployments, through the official clients on both surfaces."""

from typing import Any

import openai
import pytest

from tests.contract.standin import StandIn, body, delete, deployed, put, tuned_model

QUESTION: Any = [
    {"role": "system", "content": "You know cities."},
    {"role": "user", "content": "What is written about city coral2?"},
]
ANSWER = "City coral2 has 13 bridges."


def test_tuned_deployment_answers_what_it_was_trained_on(stand_in: StandIn) -> None:
    """A trained question gets the trained answer, on both surfaces; the ledger keeps the
    question.
    """
    client = stand_in.v1()
    model = deployed(stand_in, client)
    answer = client.chat.completions.create(
        model="ours", messages=QUESTION, max_completion_tokens=50
    )
    assert (answer.choices[0].message.content, answer.model) == (ANSWER, model)
    other = stand_in.azure("2024-02-01").chat.completions.create(
        model="ours", messages=QUESTION, temperature=0
    )
    assert other.choices[0].message.content == ANSWER
    assert stand_in.entries("chat.completions.create")[0]["request"]["body"]["messages"] == QUESTION


def test_tuned_deployment_says_so_when_it_was_not_trained_on_a_question(stand_in: StandIn) -> None:
    """An unknown question gets no invented answer."""
    client = stand_in.v1()
    deployed(stand_in, client)
    answer = client.chat.completions.create(
        model="ours", messages=[{"role": "user", "content": "How deep is the sea?"}]
    )
    assert "I only answer what I was trained on" in (answer.choices[0].message.content or "")


def test_base_deployment_does_not_know_the_trained_answer(stand_in: StandIn) -> None:
    """The base model never gives a trained answer."""
    client = stand_in.v1()
    deployed(stand_in, client)
    put(stand_in, "base", body("gpt-4.1-mini", version="2025-04-14"))
    stand_in.advance()
    answer = client.chat.completions.create(model="base", messages=QUESTION)
    assert (answer.choices[0].message.content == ANSWER, answer.model) == (
        False,
        "gpt-4.1-mini-2025-04-14",
    )


def test_tuned_deployment_answers_in_the_name_of_its_base_when_the_switch_says_so(
    stand_in: StandIn,
) -> None:
    """No printed answer of a fine-tuned deployment was found, so both are tried."""
    client = stand_in.v1()
    deployed(stand_in, client)
    stand_in.control("PUT", "switches", {"answered_model": "base"})
    answer = client.chat.completions.create(model="ours", messages=QUESTION)
    assert (answer.choices[0].message.content, answer.model) == (ANSWER, "gpt-4.1-mini-2025-04-14")


def test_model_that_learned_nothing_recalls_nothing(stand_in: StandIn) -> None:
    """One epoch with a tiny multiplier leaves the answer unlearned."""
    client = stand_in.v1()
    model = tuned_model(
        stand_in, client, hyperparameters={"n_epochs": 1, "learning_rate_multiplier": 0.001}
    )
    put(stand_in, "ours", body(model))
    stand_in.advance()
    answer = client.chat.completions.create(model="ours", messages=QUESTION)
    assert answer.choices[0].message.content != ANSWER


@pytest.mark.parametrize("surface", ["v1", "azure"])
def test_deployment_is_not_found_until_it_is_ready(stand_in: StandIn, surface: str) -> None:
    """A Succeeded deployment answers 404 for a while, in the service's words."""
    client = stand_in.v1() if surface == "v1" else stand_in.azure("2024-02-01")
    put(stand_in, "ours", body("gpt-4.1-mini", version="2025-04-14"))
    stand_in.advance(300)
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="ours", messages=QUESTION)
    assert missing.value.code == "DeploymentNotFound"
    assert "within the last 5 minutes, please wait a moment and try again." in str(missing.value)
    stand_in.advance(120)
    assert client.chat.completions.create(model="ours", messages=QUESTION).choices


def test_deleted_deployment_is_not_found(stand_in: StandIn) -> None:
    """After its DELETE a deployment answers no more."""
    client = stand_in.v1()
    deployed(stand_in, client)
    delete(stand_in, "ours")
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="ours", messages=QUESTION)


def test_promoted_deployment_serves_the_old_model_until_the_new_one_stands(
    stand_in: StandIn,
) -> None:
    """A change in place leaves no gap."""
    stand_in.control("PUT", "switches", {"in_place_model_change": "allowed"})
    client = stand_in.v1()
    old = deployed(stand_in, client)
    new = tuned_model(stand_in, client, seed=1)
    put(stand_in, "ours", body(new))
    assert client.chat.completions.create(model="ours", messages=QUESTION).model == old
    stand_in.advance()
    assert client.chat.completions.create(model="ours", messages=QUESTION).model == new


def test_chat_is_held_to_its_rate_when_the_switch_says_so(stand_in: StandIn) -> None:
    """One unit of capacity is one request a minute; the refusal says how long to wait."""
    client = stand_in.v1()
    deployed(stand_in, client)
    stand_in.control("PUT", "switches", {"rate_limits": True})
    client.chat.completions.create(model="ours", messages=QUESTION)
    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(model="ours", messages=QUESTION)
    stand_in.advance(int(refused.value.response.headers["retry-after"]))
    client.chat.completions.create(model="ours", messages=QUESTION)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({"messages": []}, 400, id="no messages"),
        pytest.param({"messages": [{"role": "narrator", "content": "x"}]}, 400, id="role"),
        pytest.param(
            {"messages": [{"role": "user", "content": "x" * 1_048_577}]}, 400, id="long message"
        ),
        pytest.param({"messages": QUESTION * 1025}, 400, id="many messages"),
        pytest.param({"extra_body": {"colour": 1}}, 400, id="unknown field"),
        pytest.param({"stream": True}, 501, id="streaming"),
    ],
)
def test_chat_is_refused_when_the_body_is_wrong(
    stand_in: StandIn, change: dict[str, Any], status: int
) -> None:
    """Wrong bodies are refused, and what is not imitated says so."""
    asked: dict[str, Any] = {"model": "ours", "messages": QUESTION}
    with pytest.raises(openai.APIStatusError) as refused:
        stand_in.v1().chat.completions.create(**(asked | change))
    assert refused.value.status_code == status
