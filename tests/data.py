"""Training data for the tests: chat examples that no other test has."""

import json


def a_training_set(subject: str, count: int = 12) -> bytes:
    """Chat examples on a made-up subject; the answers can be learned."""
    lines = [
        {
            "messages": [
                {"role": "system", "content": f"You answer questions about {subject}."},
                {"role": "user", "content": f"What is the colour of part {number} of {subject}?"},
                {
                    "role": "assistant",
                    "content": f"Part {number} of {subject} is painted in shade {number * 7}.",
                },
            ]
        }
        for number in range(count)
    ]
    return "\n".join(json.dumps(line) for line in lines).encode() + b"\n"


def a_question(subject: str, number: int = 3) -> list[dict[str, str]]:
    """A question whose answer stands in the training set: "shade 21" for part 3."""
    return [
        {"role": "system", "content": f"You answer questions about {subject}."},
        {"role": "user", "content": f"What is the colour of part {number} of {subject}?"},
    ]
