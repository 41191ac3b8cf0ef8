"""A service that misbehaves by bytes, under every call of the adapters: each ends in its time, in a
named error or in a right answer.
"""

import inspect
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.services.azure_openai import AzureOpenAI
from shared.services.call_limits import Limits
from shared.services.container import Container
from shared.services.resource_manager import ResourceManager
from tests.faults.hostile import misbehaviours
from tests.faults.hostile.calls import CALLS, OLDER, Call
from tests.faults.hostile.changes import Misbehaving
from tests.faults.hostile.ground import AMPLE, SHORT, Ground, complaint, sound, standing

ADAPTERS = (AzureOpenAI, ResourceManager, Container)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """The service, and the app's settings that lead to it."""
    with standing() as made:
        yield made


def public_methods(adapter: type) -> set[Callable[..., Any]]:
    """What an adapter offers: its functions; its properties ask nobody."""
    return {
        method
        for name, method in inspect.getmembers(adapter, inspect.isfunction)
        if not name.startswith("_")
    }


def test_every_call_of_every_adapter_has_a_row() -> None:
    """A new method without a row fails here."""
    offered = set[Callable[..., Any]]().union(*map(public_methods, ADAPTERS))
    assert offered - {call.of for call in CALLS.values()} == set()


def test_every_call_takes_the_sound_answer(ground: Ground) -> None:
    """Without a misbehaviour each call gives what the service says: no row is wrong from
    its start.
    """
    ground.misbehaving = sound
    ends = dict(zip(CALLS, ground.ends(CALLS.values(), AMPLE), strict=True))
    assert {
        name: end.error or end.value
        for name, end in ends.items()
        if end.error or end.value != CALLS[name].right
    } == {}


def nothing_else(_call: Call, _value: Any) -> bool:
    """Only the right answer is one."""
    return False


def a_claim(call: Call, value: Any) -> bool:
    """How many bytes a blob has is the service's word alone, where only its facts are asked for."""
    return call.of is Container.facts and value[0] == "0x8D1" and 0 <= value[1] < 2**53


def not_known(call: Call, value: Any) -> bool:
    """What the app may not ask for, or an older api-version doesn't tell, is not known, which is no
    "no".
    """
    return value is None and call.of in {
        ResourceManager.quotas,
        ResourceManager.may_deploy,
        ResourceManager.rai_policies,
    }


def any_bytes(call: Call, value: Any) -> bool:
    """A file's content is whatever bytes it has."""
    return (
        call.of is AzureOpenAI.content
        and isinstance(value, bytes)
        and len(value) <= SHORT.content_bytes
    )


def complaints(
    ground: Ground,
    misbehaving: Misbehaving,
    calls: dict[str, Call],
    fits: Callable[[Call, Any], bool] = nothing_else,
    limits: Limits = SHORT,
) -> dict[str, str]:
    """What is wrong with the ends of all calls of a service that misbehaves so."""
    ground.misbehaving = misbehaving
    before, elsewhere = len(ground.service.asked), len(ground.elsewhere.asked)
    ends = zip(calls, ground.ends(calls.values(), limits), strict=True)
    heard = Counter(
        f"{asked.method} {asked.target.partition('?')[0]}"
        for asked in ground.service.asked[before:]
    )
    found = {name: why for name, end in ends if (why := complaint(CALLS[name], end, fits, heard))}
    return found | (
        {"elsewhere": "it was asked"} if len(ground.elsewhere.asked) > elsewhere else {}
    )


THIRDS = [
    {name: call for at, (name, call) in enumerate(CALLS.items()) if at % 3 == third}
    for third in range(3)
]


def each(table: dict[str, Misbehaving]) -> pytest.MarkDecorator:
    """A test for each misbehaviour of a table: with a third of the calls, another one each time,
    and with every call where time allows.
    """
    quick = [
        pytest.param(wrong, THIRDS[at % 3], id=name)
        for at, (name, wrong) in enumerate(table.items())
    ]
    thorough = [
        pytest.param(wrong, CALLS, id=f"{name}, every call", marks=pytest.mark.slow)
        for name, wrong in table.items()
    ]
    return pytest.mark.parametrize(("misbehaving", "calls"), quick + thorough)


@each(misbehaviours.BROKEN)
def test_no_call_takes_a_broken_answer_for_one(
    ground: Ground, misbehaving: Misbehaving, calls: dict[str, Call]
) -> None:
    """Cut off, reset, or not in the protocol."""
    assert complaints(ground, misbehaving, calls, a_claim) == {}


@each(misbehaviours.ENDLESS)
def test_every_call_ends_on_what_has_no_end(
    ground: Ground, misbehaving: Misbehaving, calls: dict[str, Call]
) -> None:
    """Silence, drips, floods and bombs."""
    assert (
        complaints(
            ground,
            misbehaving,
            calls,
            lambda call, value: a_claim(call, value) or not_known(call, value),
        )
        == {}
    )


@each(misbehaviours.PACKED | misbehaviours.TYPED)
def test_no_call_is_led_astray_by_what_an_answer_calls_itself(
    ground: Ground, misbehaving: Misbehaving, calls: dict[str, Call]
) -> None:
    """Encodings, types and lengths that are wrong."""
    assert (
        complaints(
            ground,
            misbehaving,
            calls,
            lambda call, value: any_bytes(call, value) or a_claim(call, value),
        )
        == {}
    )


@each(misbehaviours.BODIED)
def test_no_call_takes_a_strange_body_for_an_answer(
    ground: Ground, misbehaving: Misbehaving, calls: dict[str, Call]
) -> None:
    """Empty, half, nested without end, or something else altogether."""
    assert complaints(ground, misbehaving, calls, any_bytes) == {}


@each(misbehaviours.REFUSED)
def test_every_call_tells_a_refusal_by_name(
    ground: Ground, misbehaving: Misbehaving, calls: dict[str, Call]
) -> None:
    """Whatever a refusal holds, its text is bounded, and without the key that it quotes."""
    assert complaints(ground, misbehaving, calls, not_known) == {}


@each(misbehaviours.ASKED_TO_WAIT)
def test_no_call_sleeps_because_a_service_says_so(
    ground: Ground, misbehaving: Misbehaving, calls: dict[str, Call]
) -> None:
    """Waits that are negative, endless, or no numbers."""
    assert complaints(ground, misbehaving, calls) == {}


@each(misbehaviours.REDIRECTED)
def test_no_call_follows_an_answer_elsewhere(
    ground: Ground, misbehaving: Misbehaving, calls: dict[str, Call]
) -> None:
    """Not to itself, not to another host, not to a file of this machine."""
    assert complaints(ground, misbehaving, calls) == {}


# The calls that follow every page; the others stop where they have what they look for.
LISTINGS = {
    AzureOpenAI.files_named,
    AzureOpenAI.files,
    AzureOpenAI.count_files,
    AzureOpenAI.jobs_of_file,
    AzureOpenAI.count_jobs,
    ResourceManager.models,
    ResourceManager.quotas,
    ResourceManager.rai_policies,
    ResourceManager.deployments,
    Container.list,
}
# What the older surface lists on one page.
FILES = {AzureOpenAI.files_named, AzureOpenAI.files, AzureOpenAI.count_files}


def is_enough(call: Call, value: Any) -> bool:
    """As many events as were asked for, on however many pages; the one page of files of the older
    surface, whatever their ids are; one page of blobs and the marker of another.
    """
    if call.of is AzureOpenAI.events:
        return len(value) == 5
    return call.of in FILES or (
        call.of is Container.page and value[1] not in {None, misbehaviours.SAME_MARKER}
    )


@pytest.mark.parametrize(
    "misbehaving", (pages := misbehaviours.PAGED | misbehaviours.LINKED).values(), ids=pages.keys()
)
def test_every_listing_has_an_end(ground: Ground, misbehaving: Misbehaving) -> None:
    """Pages that come for ever, or lead elsewhere: the listing is none, and is not cut silently."""
    assert complaints(ground, misbehaving, CALLS, is_enough, AMPLE) == {}
    ground.misbehaving = misbehaving
    follow = {
        name: call
        for name, call in CALLS.items()
        if call.of in LISTINGS and not (OLDER in name and call.of in FILES)
    }
    before = len(ground.service.asked)
    assert [
        name
        for name, end in zip(follow, ground.ends(follow.values(), AMPLE), strict=True)
        if end.error is None
    ] == []
    assert len(ground.service.asked) - before <= len(follow) * (SHORT.listing_pages + 3)


# What only time ends.
TIMED = ("other answers first, for ever", "a length of a terabyte", "trailers for ever")
HEAVY = [
    pytest.param(name, marks=[pytest.mark.slow] if name in TIMED else [])
    for name in misbehaviours.ENDLESS
    if any(word in name for word in ("bomb", "ever", "without an end", "terabyte"))
]
# What a call may hold at a time: its body as it came, unpacked, and in pieces.
MOST_BYTES = 4 * (SHORT.answer_bytes + SHORT.content_bytes)


@pytest.mark.parametrize("name", HEAVY)
def test_no_call_holds_more_than_it_may(ground: Ground, name: str) -> None:
    """Bombs and floods, call by call: the most memory that Python holds is a few times what an
    answer may have.
    """
    ground.misbehaving = misbehaviours.ENDLESS[name]
    # No time saves a call that unpacks all of it.
    limits = AMPLE if name in {"a bomb", "a bomb in a refusal"} else SHORT
    held: dict[str, int] = {}
    tracemalloc.start()
    try:
        for call_name, call in (THIRDS[0] if name in TIMED else CALLS).items():
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            ground.end_of(call, limits)
            held[call_name] = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert {call_name: taken for call_name, taken in held.items() if taken > MOST_BYTES} == {}
