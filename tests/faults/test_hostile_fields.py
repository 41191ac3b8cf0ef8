"""Every field of every answer, with another kind of value in it: no call takes it for a fact of its
kind.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import pytest

from shared.services.azure_openai import AzureOpenAI
from tests.faults.hostile import fields
from tests.faults.hostile.calls import CALLS, OLDER, Call
from tests.faults.hostile.fields import KINDS, MORE, TEXTS, Place
from tests.faults.hostile.ground import AMPLE, Ground, complaint, sound, standing
from tests.faults.hostile.sound import ANSWERS, answer_to

PLACES = list(fields.places())
FREE_CHARS = 1_000
# Where what isn't understood is "not known", which nothing is bought by.
SAFE = {"n_epochs", "code", "capabilities", "fineTune", "globalFineTune"}
# Events are for people and decide nothing, and a strange file of others hides no other: what is
# strange is left out.
LENIENT = {AzureOpenAI.events, AzureOpenAI.files}


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """The service, and the app's settings that lead to it."""
    with standing() as made:
        yield made


@pytest.fixture(scope="module")
def readers(ground: Ground) -> dict[int, dict[str, Call]]:
    """Which calls read which answer; the older surface has the same readers."""
    found: dict[int, dict[str, Call]] = {}
    for name, call in CALLS.items():
        if OLDER in name:
            continue
        before = len(ground.service.asked)
        ground.misbehaving = sound
        ground.end_of(call, AMPLE)
        given = [answer_to(asked) for asked in ground.service.asked[before:]]
        for number, (_, _, answer) in enumerate(ANSWERS):
            if any(one is answer for one in given):
                found.setdefault(number, {})[name] = call
    return found


def test_every_answer_has_a_reader(readers: dict[int, dict[str, Call]]) -> None:
    """No answer stands there for nothing."""
    assert [ANSWERS[number][:2] for number in range(len(ANSWERS)) if number not in readers] == []


def same_kind(one: Any, other: Any) -> bool:
    """Whether both are texts, or numbers, or lists, or objects: then nobody can tell the wrong one
    from the right.
    """
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    numbers = isinstance(one, int | float) and (
        isinstance(other, int) or (isinstance(other, float) and math.isfinite(other))
    )
    return numbers or (type(one) is type(other) and not isinstance(one, float))


def is_plain(value: object) -> bool:
    """Whether it can be kept, shown and reckoned with: printable texts of bounded length, finite
    numbers, whole ones from 0 up.
    """
    match value:
        case str():
            return value.isprintable() and len(value) <= FREE_CHARS
        case bool() | bytes() | None:
            return True
        case int():
            return value >= 0
        case float():  # a metric may be negative
            return math.isfinite(value)
        case _:
            return all(is_plain(one) for one in _inside(value))


def _inside(value: Any) -> list[object]:
    if isinstance(value, dict):
        return [one for pair in cast("dict[object, object]", value).items() for one in pair]
    return list(vars(value).values() if dataclasses.is_dataclass(value) else value)


def wrong(
    ground: Ground, place: Place, values: dict[str, Any], calls: dict[str, Call]
) -> dict[str, str]:
    """What is wrong with the ends of the calls that read this place, for each of the values
    in it.
    """
    ground.misbehaving = fields.without(place)
    absent = [
        end.value if end.error is None else MARK for end in ground.ends(calls.values(), AMPLE)
    ]
    found: dict[str, str] = {}
    for kind, value in values.items():
        ground.misbehaving = fields.with_value(place, value)
        ends = ground.ends(calls.values(), AMPLE)
        for (name, call), end, without in zip(calls.items(), ends, absent, strict=True):
            loose = (
                place.kind != "field"
                or call.of in LENIENT
                or SAFE & set(place.path)
                or same_kind(fields.found(ANSWERS[place.answer][2].told, place.path), value)
            )
            # The words of a model are its own, as a blob's metadata are its writer's.
            free = (call.of is AzureOpenAI.chat and loose) or place.path in {
                ("x-ms-meta-report",),
                ("report",),
            }

            def fits(
                _call: Call,
                told: Any,
                without: Any = without,
                loose: bool = bool(loose),
                free: bool = bool(free),
            ) -> bool:
                return (
                    (without is not MARK and told == without) or free or (loose and is_plain(told))
                )

            if why := complaint(call, end, fits, Counter()):
                found[f"{name}: {kind}"] = why
    return found


MARK = object()


@pytest.mark.parametrize("place", [place for place in PLACES if place.kind == "field"], ids=str)
def test_no_field_is_taken_for_what_it_is_not(
    ground: Ground, readers: dict[int, dict[str, Call]], place: Place
) -> None:
    """One value of each kind: it is refused, or left out as if the field were missing."""
    assert wrong(ground, place, KINDS, readers[place.answer]) == {}


@pytest.mark.slow
@pytest.mark.parametrize("place", [place for place in PLACES if place.kind == "field"], ids=str)
def test_no_strange_value_of_a_field_is_taken(
    ground: Ground, readers: dict[int, dict[str, Call]], place: Place
) -> None:
    """Numbers that no float holds, texts with control characters, and more."""
    assert wrong(ground, place, MORE, readers[place.answer]) == {}


@pytest.mark.parametrize("place", [place for place in PLACES if place.kind != "field"], ids=str)
def test_no_strange_header_or_element_is_taken(
    ground: Ground, readers: dict[int, dict[str, Call]], place: Place
) -> None:
    """What storage tells in headers and in XML."""
    assert (
        wrong(
            ground, place, {text[:20] or "nothing": text for text in TEXTS}, readers[place.answer]
        )
        == {}
    )
