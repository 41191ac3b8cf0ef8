"""The base models that a file can be checked for, with what a check needs to know of each."""

import difflib

import msgspec

SUPERVISED = "supervised"
PREFERENCE = "dpo"
REINFORCEMENT = "reinforcement"

# What separates a base model from its suffix in the name of a fine-tuned model.
FORMER_RESULT = ".ft-"


class KnownModel(msgspec.Struct, frozen=True):
    """What a check needs to know of one base model; `max_example_tokens` is still accepted."""

    name: str
    encoding: str
    max_example_tokens: int
    images: bool
    methods: frozenset[str]


class UnknownModel(LookupError):
    """The name is not in the table; `nearest` is the entry that reads most like it."""

    def __init__(self, nearest: str) -> None:
        # The name itself is not repeated: it may be any text of a drop.
        self.nearest = nearest
        super().__init__(f"The base model is not known; the nearest known one is {nearest}.")


def _row(name: str, encoding: str, limit: int, methods: str, images: bool = False) -> KnownModel:
    return KnownModel(name, encoding, limit, images, frozenset(methods.split()))


# Every known base model by its full name.
# Encodings and limits: Azure OpenAI's fine-tuning tutorial and model pages, read in November 2026.
# No longest example was found for o4-mini, gpt-5 and gpt-oss; they get the 65,536 of the other
# current models. The harmony encoding of gpt-oss splits ordinary text exactly as o200k_base does.
KNOWN: dict[str, KnownModel] = {
    model.name: model
    for model in (
        _row("gpt-4.1-2025-04-14", "o200k_base", 65_536, "supervised dpo", images=True),
        _row("gpt-4.1-mini-2025-04-14", "o200k_base", 65_536, "supervised dpo"),
        _row("gpt-4.1-nano-2025-04-14", "o200k_base", 65_536, "supervised dpo"),
        _row("gpt-4o-2024-08-06", "o200k_base", 65_536, "supervised dpo", images=True),
        _row("gpt-4o-mini-2024-07-18", "o200k_base", 65_536, "supervised"),
        _row("o4-mini-2025-04-16", "o200k_base", 65_536, "reinforcement"),
        _row("gpt-5-2025-08-07", "o200k_base", 65_536, "reinforcement"),
        _row("gpt-oss-20b", "o200k_base", 65_536, "supervised"),
        _row("gpt-35-turbo-0613", "cl100k_base", 4_096, "supervised"),
        _row("gpt-35-turbo-1106", "cl100k_base", 16_385, "supervised"),
        _row("gpt-35-turbo-0125", "cl100k_base", 16_385, "supervised"),
    )
}

_SHORT_NAMES = {
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4.1-nano": "gpt-4.1-nano-2025-04-14",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "o4-mini": "o4-mini-2025-04-16",
    "gpt-5": "gpt-5-2025-08-07",
    "gpt-35-turbo": "gpt-35-turbo-0613",
    "gpt-3.5-turbo": "gpt-35-turbo-0613",
}


def base_model(name: str) -> KnownModel:
    """The table's entry for a full name, a short name, or the name of a former result or
    checkpoint.

    Raises:
        UnknownModel: No entry fits.
    """
    base = name.strip().lower().partition(FORMER_RESULT)[0]
    found = KNOWN.get(_SHORT_NAMES.get(base, base))
    if found is None:
        candidates = (*KNOWN, *_SHORT_NAMES)
        nearest = max(
            candidates, key=lambda known: difflib.SequenceMatcher(None, known, base[:64]).ratio()
        )
        raise UnknownModel(_SHORT_NAMES.get(nearest, nearest))
    return found
