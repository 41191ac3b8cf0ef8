"""The hostile service as all of Azure, and how each call on it ends: in time, in a named error, in
a right answer.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from shared.errors import OutcomeUnknown, ServiceRejected, ServiceUnavailable
from shared.services import call_limits
from shared.services.azure_openai import AzureOpenAI
from shared.services.storage import Changed, TooLarge
from tests.faults.hostile import misbehaviours
from tests.faults.hostile.calls import Call
from tests.faults.hostile.changes import KEY, Misbehaving
from tests.faults.hostile.sound import Sound, answer_to, sent
from tests.unit.adapters.misbehaving import ACCOUNT_ID, Asked, Service, forget

# What a call may cost on this ground; `AMPLE` where a sound answer must be taken on a machine that
# is busy.
SHORT = call_limits.Limits(
    answer_bytes=2**18, content_bytes=2**19, pages=5, listing_pages=8, read_s=0.4
)
AMPLE = call_limits.Limits(
    answer_bytes=2**18, content_bytes=2**19, pages=5, listing_pages=8, read_s=60.0
)
# When a call is said to hang: its time is one second, and this machine may be busy.
SAFETY_S = 45.0
AT_ONCE = 60
TEXT_CHARS = 1_100
NAMED = (ServiceUnavailable, ServiceRejected, OutcomeUnknown, TooLarge, Changed)


@dataclass(frozen=True)
class End:
    """How a call ended."""

    value: Any = None
    error: BaseException | None = None
    took_s: float = 0.0


class Ground:
    """One service for every call, sound until it is told otherwise."""

    def __init__(self) -> None:
        self.misbehaving: Misbehaving = sound
        self.service = Service(self._answer)
        self.elsewhere = Service(
            lambda asked: asked.send(sent(Sound(200, {"Content-Type": "application/json"}, b"{}")))
        )

    def _answer(self, asked: Asked) -> None:
        self.misbehaving(asked, answer_to(asked))

    def ends(self, calls: Iterable[Call], limits: call_limits.Limits = SHORT) -> list[End]:
        """How each of the calls ends; they are made at the same time, each by a thread of
        its own.
        """
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [
                ended.result()
                for ended in [pool.submit(self.end_of, call, limits) for call in calls]
            ]

    def end_of(self, call: Call, limits: call_limits.Limits = SHORT) -> End:
        """How one call ends; a hang is an end, too."""
        ended: list[End] = []

        def make() -> None:
            began = time.monotonic()
            try:
                with call_limits.held_to(limits):
                    ended.append(
                        End(value=call.ask(limits.read_s), took_s=time.monotonic() - began)
                    )
            except BaseException as error:
                ended.append(End(error=error, took_s=time.monotonic() - began))

        thread = threading.Thread(target=make, daemon=True)
        thread.start()
        thread.join(SAFETY_S)
        return ended[0] if ended else End(error=TimeoutError("it hangs"), took_s=SAFETY_S)


def sound(asked: Asked, answer: Sound) -> None:
    """What a healthy service does."""
    asked.send(sent(answer))


@contextmanager
def standing() -> Generator[Ground]:
    """The ground, for a while, with the app's settings pointing to it."""
    ground = Ground()
    base = ground.service.base
    environment = {
        "TUNEDROP_OPENAI_ENDPOINT": base,
        "TUNEDROP_OPENAI_API_KEY": KEY,
        "TUNEDROP_ARM_ENDPOINT": base,
        "TUNEDROP_ACCOUNT": ACCOUNT_ID,
        "TUNEDROP_CREDENTIAL": "stand-in",
        "DropStorage": f"AccountName=a;AccountKey=c2VjcmV0;BlobEndpoint={base}/a;",
        "IDENTITY_ENDPOINT": f"{base}/msi/token",
        "IDENTITY_HEADER": KEY,
    }
    misbehaviours.ELSEWHERE[:] = [ground.elsewhere.port]
    with pytest.MonkeyPatch.context() as settings:
        for name, value in environment.items():
            settings.setenv(name, value)
        forget()
        try:
            yield ground
        finally:
            ground.service.end()
            ground.elsewhere.end()
            forget()


def complaint(
    call: Call, end: End, fits: Callable[[Call, Any], bool], heard: Counter[str]
) -> str | None:
    """What is wrong with the end of this call; None where it is a right answer, or a named error
    whose text is bounded and clean.

    `heard`: how often the service was asked for what, method and path.
    """
    # A file is sent again where the token ran out: 401.
    if heard[call.creates] > (2 if call.of is AzureOpenAI.upload else 1):
        return f"it was sent {heard[call.creates]} times"
    if end.error is None:
        return (
            None
            if end.value == call.right or fits(call, end.value)
            else f"it took as true: {end.value!r:.200}"
        )
    if not isinstance(end.error, NAMED):
        return f"it let out {type(end.error).__name__}: {end.error!s:.300}"
    # 429 has taken nothing.
    if (
        heard[call.creates]
        and type(end.error) is ServiceUnavailable
        and " 429 " not in str(end.error)
    ):
        return "it says that nothing was made, and nobody knows"
    problem = getattr(end.error, "problem", None)
    text = "" if problem is None else problem.message + (problem.request_id or "") + str(end.error)
    if KEY in text:
        return "its text holds the key"
    if problem is not None and (
        len(problem.message) > TEXT_CHARS or not all(one.isprintable() for one in problem.message)
    ):
        return (
            f"its text is {len(problem.message)} characters, or not printable: "
            f"{problem.message!r:.200}"
        )
    return None
