"""A format of lines: everything that the rest of the package needs to know of one, in one place."""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from ..contents.compared_texts import ComparedTexts
from ..models.base_models import KnownModel
from ..reading.json_types import JsonObject
from ..rules.findings import Finding
from .keys import Path, value_at
from .messages import objects_in


class Place(NamedTuple):
    """A list of messages: the keys that lead to it, and whether its answers are learnt."""

    path: Path
    learns: bool


class Format(msgspec.Struct, frozen=True):
    """What a format is. A new one is a file with one of these, and a row in `recognition`.

    `name` is told in findings; `method` is the training method that takes such lines. `fits` says
    whether a line is written for it, `check` everything that is wrong with it. `keys` are those of
    a line, `places` where its messages stand, in their order. `answer` tells what an example asks,
    answers and teaches. `conflicts`: whether two answers to one prompt contradict each other;
    `priced`: whether training is billed by tokens; `graded`: whether the fields beside the messages
    are for a grader, and not for the model.
    """

    name: str
    method: str
    keys: frozenset[str]
    places: tuple[Place, ...]
    fits: Callable[[JsonObject, KnownModel], bool]
    check: Callable[[JsonObject, KnownModel], Iterator[Finding]]
    answer: Callable[[JsonObject], ComparedTexts]
    conflicts: bool = True
    priced: bool = True
    graded: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """The keys that lead to each list of messages."""
        return _paths(self.places)

    def conversation(self, example: JsonObject) -> list[tuple[JsonObject, bool]]:
        """The messages of an example in the order of its places, those that are objects at all;
        with each, whether it is learnt where it is an answer.
        """
        return [
            (message, learns)
            for path, learns in self.places
            for message in objects_in(value_at(example, path))
        ]


@functools.cache
def _paths(places: tuple[Place, ...]) -> tuple[Path, ...]:
    return tuple(place.path for place in places)
