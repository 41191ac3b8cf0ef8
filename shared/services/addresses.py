"""Looking up the addresses of a host in bounded time, which the system's resolver doesn't offer."""

import ipaddress
import socket
import threading
from concurrent.futures import Future

_asking = threading.Lock()
# Questions under way: one for each host, however many wait for it, so that a resolver that hangs
# holds few threads.
_asked: dict[str, Future[list[str]]] = {}


def addresses_of(host: str, within_s: float | None) -> list[str]:
    """The addresses of this host, in the order in which they are to be tried.

    Raises:
        TimeoutError: the resolver didn't answer in so many seconds.
        OSError: it knows no such host.
    """
    if _is_address(host):
        return [host]
    with _asking:
        answer = _asked.get(host)
        if answer is None:
            answer = _asked[host] = Future()
            threading.Thread(
                target=_look_up, args=(host, answer), name="look-up", daemon=True
            ).start()
    try:
        return answer.result(within_s)
    except TimeoutError:
        raise TimeoutError("the host's address was not found in time") from None


def _look_up(host: str, answer: Future[list[str]]) -> None:
    try:
        found = [
            str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        ]
    except (OSError, UnicodeError) as error:
        _end(host)
        answer.set_exception(
            error if isinstance(error, OSError) else OSError("the name of the host is none")
        )
    else:
        _end(host)
        answer.set_result(list(dict.fromkeys(found)))


def _end(host: str) -> None:
    with _asking:
        del _asked[host]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
