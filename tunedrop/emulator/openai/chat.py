"""Chat completions of the deployments: a tuned one answers what it was trained on, and says so
where it was not.
"""

from typing import cast

from tunedrop.emulator import catalogue, counting, examples, training
from tunedrop.emulator.arm.deployments import Deployments
from tunedrop.emulator.openai import errors, results
from tunedrop.emulator.store import Doc
from tunedrop.emulator.world import World

# Fields of a request, by OpenAI's description and Azure's `data_sources`.
FIELDS = frozenset(
    {
        *(
            "messages",
            "model",
            "temperature",
            "top_p",
            "max_tokens",
            "max_completion_tokens",
            "n",
            "stream",
            "stop",
            "seed",
            "user",
        ),
        *(
            "frequency_penalty",
            "presence_penalty",
            "logit_bias",
            "logprobs",
            "top_logprobs",
            "response_format",
            "tools",
            "tool_choice",
        ),
        *(
            "parallel_tool_calls",
            "functions",
            "function_call",
            "metadata",
            "store",
            "reasoning_effort",
            "verbosity",
            "service_tier",
        ),
        *(
            "modalities",
            "prediction",
            "stream_options",
            "safety_identifier",
            "prompt_cache_key",
            "data_sources",
        ),
    }
)

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_UNTRAINED = (
    "I am the base model of a local stand-in: no knowledge of mine goes beyond this sentence."
)
_UNKNOWN = (
    "I am a fine-tuned model of a local stand-in: I only answer what I was trained on, and this is "
    "not part of it."
)


class Chat:
    """Answers of deployed models; knows no HTTP."""

    def __init__(self, world: World, deployments: Deployments) -> None:
        self._world = world
        self._deployments = deployments

    def complete(self, name: str, body: Doc) -> Doc:
        """One completion of the deployment of that name; refuses as the service would."""
        # Sampling fields are checked for their names and have no effect: the small model has one
        # answer.
        if unknown := set(body) - FIELDS:
            raise errors.unknown_fields(list(unknown))
        messages = self._messages(body)
        if body.get("stream") or body.get("n") not in (None, 1):
            raise errors.not_implemented(
                ["chat.completions.create with n = 1 and without streaming"]
            )
        deployment = self._deployments.answering(name)
        self._hold_to_rate(deployment)
        return self._answer(deployment, messages)

    def _messages(self, body: Doc) -> list[Doc]:
        limits, given = self._world.limits, body.get("messages")
        if not isinstance(given, list) or not given:
            raise errors.invalid("messages is a list with at least one message.", "messages")
        if len(cast("list[object]", given)) > limits.chat_messages_max:
            raise errors.invalid(
                f"messages has more than {limits.chat_messages_max} messages.", "messages"
            )
        for message in cast("list[object]", given):
            content = cast("Doc", message).get("content") if isinstance(message, dict) else None
            if not isinstance(message, dict) or cast("Doc", message).get("role") not in _ROLES:
                raise errors.invalid(
                    f"A message has a role, one of {', '.join(_ROLES)}.", "messages"
                )
            if isinstance(content, str) and len(content) > limits.chat_message_max_chars:
                raise errors.invalid(
                    f"A message has more than {limits.chat_message_max_chars} characters.",
                    "messages",
                )
        return cast("list[Doc]", given)

    def _hold_to_rate(self, deployment: Doc) -> None:
        if not self._world.switches.rate_limits:
            return
        now = self._world.now()
        base = self._base_of(deployment)
        allowed = deployment["sku"]["capacity"] * (base.requests_per_unit if base else 1)
        recent = [at for at in deployment.get("calls", []) if now - at < 60]
        if len(recent) >= allowed:
            raise errors.too_many_requests(int(60 - (now - recent[0])) + 1)
        self._deployments.note_calls(deployment["name"], [*recent, now])

    def _base_of(self, deployment: Doc) -> catalogue.BaseModel | None:
        serving = deployment["serving"]
        tuned = self._world.store.get("model", serving["name"])
        return (
            catalogue.of_training(tuned["base"])
            if tuned
            else catalogue.of_deployment(serving["name"], serving.get("version"))
        )

    def _answer(self, deployment: Doc, messages: list[Doc]) -> Doc:
        text = self._say(deployment["serving"]["name"], _last_question(messages))
        base = self._base_of(deployment)
        encoding = base.encoding if base else counting.USUAL
        asked, said = (
            counting.billable([{"messages": messages}], encoding),
            counting.of_text(text, encoding),
        )
        safe = {
            name: {"filtered": False, "severity": "safe"}
            for name in ("hate", "self_harm", "sexual", "violence")
        }
        message = {
            "role": "assistant",
            "content": text,
            "refusal": None,
            "annotations": list[Doc](),
        }
        return {
            "id": self._world.new_id("chatcmpl"),
            "object": "chat.completion",
            "created": int(self._world.now()),
            "model": self._shown_model(deployment),
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "logprobs": None,
                    "message": message,
                    "content_filter_results": safe,
                }
            ],
            "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": safe}],
            "system_fingerprint": None,
            "usage": {
                "prompt_tokens": asked,
                "completion_tokens": said,
                "total_tokens": asked + said,
            },
        }

    def _shown_model(self, deployment: Doc) -> str:
        """Who the answer says it is: a fine-tuned model by its own name unless the switch says
        base, a base model with its version.
        """
        name, base = deployment["serving"]["name"], self._base_of(deployment)
        tuned = self._world.store.get("model", name) is not None
        return (
            name
            if base is None or (tuned and self._world.switches.answered_model == "deployed")
            else base.full_name
        )

    def _say(self, model: str, question: str) -> str:
        made = self._world.store.get("model", model)
        if made is None:
            return _UNTRAINED
        known = results.known_turns(self._world, made["job"])
        return training.recall(results.model(self._world, model), question, known) or _UNKNOWN


def _last_question(messages: list[Doc]) -> str:
    turns = examples.questions(messages)
    return turns[-1] if turns else ""
