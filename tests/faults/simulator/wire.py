"""The network between the app and the provider: the transports of both clients, and what goes wrong
between them.

Every call pauses on its way there and on its way back, so that other work can come in between, and
so that a kill can hit it before or after the provider has committed it.
"""

import io
import json
from collections.abc import Callable
from enum import StrEnum, auto
from typing import Any, ClassVar

import httpx2
import requests
from requests.adapters import BaseAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from tests.faults.simulator.provider import ARM, CREATING, Answer, Matched, Provider, Request
from tests.faults.simulator.stage import Killed, Stage
from tests.faults.simulator.trouble import Trouble

LATE_COMMIT_MOST_S = 25.0  # with a list lag of 120 s it stays under Pace.list_lag_s
DEFAULT_TIMEOUT_S = 600.0
REFUSALS = (408, 409, 429, 500, 502, 503, 504)
RETRY_AFTER = (None, "1", "600", "soon")


# May stand nowhere but in what a service says.
SECRETS = (
    "c2VjcmV0LWtleS1vZi10aGUtc3RvcmFnZQ",
    "eyJhbGciOiJub25lIn0",
    "c2lnbmF0dXJlLW9mLWEtbGluaw",
    "sk-0123456789abcdefghij",
)
# A refusal that quotes what it was sent, and has no end.
QUOTING = (
    f"Access denied: AccountKey={SECRETS[0]}==; Authorization: Bearer "
    f"{SECRETS[1]}.eyJzdWIiOiJ4In0.x; ?sv=1&sig={SECRETS[2]}%3D; "
    f"api-key: {SECRETS[3]} " + "and on and on " * 3000
)


class Fate(StrEnum):
    """What becomes of one call."""

    FINE = auto()
    REFUSED = auto()
    REFUSED_AFTER_ALL = auto()
    TIMEOUT_BEFORE = auto()
    TIMEOUT_AFTER = auto()
    TIMEOUT_LATE = auto()
    RESET_BEFORE = auto()
    RESET_AFTER = auto()
    BROKEN = auto()


class NoAnswer(Exception):
    """The connection ended without one."""

    def __init__(self, timed_out: bool) -> None:
        super().__init__("no answer")
        self.timed_out = timed_out


class Wire:
    """What carries the calls of one simulation."""

    def __init__(self, stage: Stage, provider: Provider, trouble: Trouble) -> None:
        self._stage = stage
        self._provider = provider
        self.trouble = trouble
        self.out: dict[bool, float] = {}
        """Until when ARM (true), or Azure OpenAI (false), answers nothing but 503, in seconds since
        1970.
        """

    def send(self, request: Request, timeout_s: float) -> Answer:
        """One call; raises NoAnswer."""
        wanted = self._provider.matched(request)
        fate, sent_at = self._fate(wanted), self._stage.now.timestamp()
        self._stage.note(
            "call", wanted.operation.name, fate, request.headers.get("x-stainless-retry-count", "")
        )
        commit = self._committing(wanted, sent_at)
        match fate:
            case Fate.REFUSED:
                self._travel(wanted, timeout_s)
                return Answer(503, b"", {}) if self._is_out(wanted) else self._refusal()
            case Fate.RESET_BEFORE | Fate.TIMEOUT_BEFORE | Fate.TIMEOUT_LATE:
                if fate is Fate.TIMEOUT_LATE:
                    self._stage.after(
                        timeout_s + self._stage.random.uniform(0, LATE_COMMIT_MOST_S),
                        lambda: (commit(), None)[1],
                    )
                self._lose(fate is not Fate.RESET_BEFORE, sent_at, timeout_s)
            case _:
                self._travel_and_maybe_die(wanted, timeout_s, commit)
        return self._returned(fate, commit(), sent_at, timeout_s)

    def _is_out(self, wanted: Matched) -> bool:
        return self._stage.now.timestamp() < self.out.get(wanted.surface == ARM, 0)

    def _fate(self, wanted: Matched) -> Fate:
        random, creating = self._stage.random, wanted.operation.name in CREATING
        if self._is_out(wanted):
            return Fate.REFUSED
        if random.random() >= (self.trouble.creating if creating else self.trouble.service):
            return Fate.FINE
        return random.choice(list(Fate)[1:])

    def _committing(self, wanted: Matched, sent_at: float) -> Callable[[], Answer]:
        lag_s = self._stage.random.uniform(0, self.trouble.list_lag_s)
        return lambda: self._provider.answer(wanted, sent_at, lag_s)

    def _travel(self, wanted: Matched, timeout_s: float) -> None:
        random = self._stage.random
        slow = random.random() < 0.05
        self._stage.pause(
            min(random.uniform(1, 20) if slow else random.uniform(0.02, 0.5), timeout_s * 0.45),
            freezes=False,
        )

    def _travel_and_maybe_die(
        self, wanted: Matched, timeout_s: float, commit: Callable[[], Answer]
    ) -> None:
        try:
            self._travel(wanted, timeout_s)
        except Killed:
            if self._stage.random.random() < 0.5:  # the request was on its way already
                commit()
            raise

    def _returned(self, fate: Fate, answer: Answer, sent_at: float, timeout_s: float) -> Answer:
        match fate:
            case Fate.TIMEOUT_AFTER | Fate.RESET_AFTER:
                self._lose(fate is Fate.TIMEOUT_AFTER, sent_at, timeout_s)
            case _:
                self._stage.pause(self._stage.random.uniform(0.02, 0.5))
        if fate is Fate.REFUSED_AFTER_ALL:
            return self._refusal(after=True)
        if fate is Fate.BROKEN and answer.status < 300:
            return Answer(answer.status, answer.content[: len(answer.content) // 2], answer.headers)
        return answer

    def _lose(self, timed_out: bool, sent_at: float, timeout_s: float) -> None:
        """The caller gives up when its patience ends, or when the connection falls before that."""
        left_s = timeout_s - (self._stage.now.timestamp() - sent_at)
        self._stage.pause(
            left_s if timed_out else left_s * self._stage.random.random(), freezes=False
        )
        raise NoAnswer(timed_out)

    def _refusal(self, *, after: bool = False) -> Answer:
        """An answer that says no; where the work was done all the same, it is none that promises
        that it wasn't.
        """
        random = self._stage.random
        status = random.choice([s for s in REFUSALS if not (after and s == 429)])
        wait = random.choice(RETRY_AFTER)
        headers = {"content-type": "application/json"} | ({"retry-after": wait} if wait else {})
        said = {
            "code": "simulated",
            "message": QUOTING if self.trouble.secrets else "told to say no",
        }
        body = (
            json.dumps({"error": said}).encode() if status != 429 or random.random() < 0.8 else b""
        )
        return Answer(status, body, headers)


class OpenAITransport(httpx2.BaseTransport):
    """Under the openai client. Clients are costly to make, so one of these serves all simulations
    of a process in turn.
    """

    wire: ClassVar[Wire]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Sends one request."""
        timeout: dict[str, float | None] = request.extensions.get("timeout", {})
        limit = timeout.get("read") or DEFAULT_TIMEOUT_S
        try:
            answer = self.wire.send(
                Request(request.method, str(request.url), dict(request.headers), request.read()),
                limit,
            )
        except NoAnswer as error:
            raise (httpx2.ReadTimeout if error.timed_out else httpx2.ReadError)(
                "simulated", request=request
            ) from None
        return httpx2.Response(answer.status, headers=answer.headers, content=answer.content)


class ArmAdapter(BaseAdapter):
    """Under azure-core's own transport, like OpenAITransport."""

    wire: ClassVar[Wire]

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        *_: Any,
        **__: Any,
    ) -> requests.Response:
        """Sends one request."""
        _, limit = timeout
        content = request.body.encode() if isinstance(request.body, str) else request.body
        body = content if isinstance(content, bytes) else b""
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        try:
            answer = self.wire.send(
                Request(str(request.method), str(request.url), headers, body), limit
            )
        except NoAnswer as error:
            raise (
                requests.ReadTimeout()
                if error.timed_out
                else requests.ConnectionError(ProtocolError("reset"))
            ) from None
        response = requests.Response()
        response.status_code, response.request, response.url = (
            answer.status,
            request,
            request.url or "",
        )
        response.headers.update(answer.headers)
        response.raw = HTTPResponse(
            io.BytesIO(answer.content),
            headers=answer.headers,
            status=answer.status,
            preload_content=False,
        )
        response.reason = "as told"
        return response

    def close(self) -> None:
        """Nothing is open."""
