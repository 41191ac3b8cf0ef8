"""The HTTP client under openai: answers whole, bounded and in time, from one host only.

Its sockets know when the call must be over (`bounded_sockets.py`).
"""

import time
from typing import Any

import httpx2
import openai

from shared.errors import retry_after_s
from shared.services import call_limits
from shared.services.bounded_sockets import TimelyTransport

RETRIED = frozenset({"GET", "DELETE"})
# Waits before the second and the third try. The client's own retries sleep past the end of the
# call, and for as long as they are told.
RETRIES_S = (0.5, 1.0)


class BoundedClient(openai.DefaultHttpxClient):
    """A client of this one address, `own`; it follows no redirect, because a token must not."""

    def __init__(self, own: str) -> None:
        super().__init__(
            follow_redirects=False,
            headers={"accept-encoding": "gzip"},
            transport=TimelyTransport(own),
        )
        self._own = own

    def send(
        self, request: httpx2.Request, *, stream: bool = False, **options: Any
    ) -> httpx2.Response:
        """The answer, read and unpacked; a read that fails in passing is sent again in the call's
        time.

        Raises:
            Exceeded: it is larger than it may be, or the address is another host's; nothing was
                sent then.
            httpx2.TransportError: there is none in time.
        """
        # Before anything is sent: the request carries the token.
        call_limits.hold_to_origin(str(request.url), self._own)
        for wait_s in RETRIES_S if request.method in RETRIED else ():
            try:
                answer = self._asked(request, options)
            except httpx2.TransportError:
                if not _is_time_for(wait_s):
                    raise
            else:
                asked_s = retry_after_s(answer.headers.get("retry-after"))
                wait_s = wait_s if asked_s is None else asked_s
                if (
                    not _passes(answer.status_code)
                    or wait_s > call_limits.RETRY_AFTER_S
                    or not _is_time_for(wait_s)
                ):
                    return answer
            time.sleep(wait_s)
        return self._asked(request, options)

    def _asked(self, request: httpx2.Request, options: dict[str, Any]) -> httpx2.Response:
        limits: dict[str, float | None] = request.extensions.get("timeout", {})
        with call_limits.within(
            max(
                (limit for limit in limits.values() if limit is not None),
                default=call_limits.limits().read_s,
            )
        ):
            response = super().send(request, stream=True, **options)
            try:
                most = (
                    call_limits.limits().content_bytes
                    if request.url.path.endswith("/content")
                    else call_limits.limits().answer_bytes
                )
                body = call_limits.whole(
                    response.iter_raw(), response.headers.get("content-encoding", ""), most
                )
            finally:
                response.close()
        return _answer(request, response, body)


def _passes(status: int) -> bool:
    return status in {408, 409, 429} or status >= 500


def _is_time_for(wait_s: float) -> bool:
    deadline = call_limits.deadline()
    return deadline is None or deadline.has(wait_s)


def _answer(request: httpx2.Request, response: httpx2.Response, body: bytes) -> httpx2.Response:
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        if name not in {"content-encoding", "content-length"}
    ]
    answer = httpx2.Response(response.status_code, headers=headers, content=body, request=request)
    answer.elapsed = response.elapsed
    return answer
