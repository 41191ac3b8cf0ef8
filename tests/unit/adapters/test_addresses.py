"""Looking up a host: in the time of the call, one question at a time, every address in turn, and
through the proxy of the machine.
"""

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.errors import ServiceUnavailable
from shared.services import azure_openai, resource_manager
from shared.services.addresses import addresses_of
from tests.unit.adapters.misbehaving import (
    ACCOUNT_ID,
    Service,
    connected,
    container,
    forget,
    serving,
    told,
    whole,
)

__all__ = ["connected"]

SOON_S = 20  # a safety net: what is tested ends within two seconds, or never
FILE = {"id": "file-1", "filename": "f", "status": "processed", "bytes": 1, "created_at": 1}
CALLS: dict[str, Callable[[Service], object]] = {
    "openai": lambda service: azure_openai.connect(f"http://localhost:{service.port}").chat(
        "d", [], 2
    ),
    "arm": lambda service: resource_manager.connect(
        f"http://localhost:{service.port}", ACCOUNT_ID, "2024-10-01"
    ).put_deployment(
        resource_manager.DeploymentPlan(name="d", sku="GlobalStandard", capacity=1), "m", "run-1", 2
    ),
    "storage": lambda _service: container().reach(2),
}


class Resolver:
    """Stands where the system's resolver stands: it doesn't answer before it may, or answers what
    it is told to.
    """

    def __init__(self, *addresses: str) -> None:
        self.asked: list[str] = []
        self.may_answer = threading.Event()
        self._addresses = addresses

    def __call__(self, host: str, port: Any, *_arguments: Any, **_options: Any) -> list[Any]:
        """What `socket.getaddrinfo` answers."""
        self.asked.append(host)
        self.may_answer.wait()
        if not self._addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in self._addresses
        ]


@pytest.fixture
def by_name(
    connected: Callable[[Service], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Service], None]:
    """Points the app to a service by a name."""

    def point(service: Service) -> None:
        connected(service)
        monkeypatch.setenv(
            "DropStorage",
            f"AccountName=a;AccountKey=c2VjcmV0;BlobEndpoint=http://localhost:{service.port}/a;",
        )
        forget()

    return point


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    """A resolver that doesn't answer while the test lasts."""
    resolver = Resolver("127.0.0.1")
    monkeypatch.setattr("socket.getaddrinfo", resolver)
    yield resolver
    resolver.may_answer.set()
    # What is still looked up would answer the next test.
    for thread in threading.enumerate():
        if thread.name == "look-up":
            thread.join(SOON_S)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_call_is_over_in_its_time_when_the_resolver_hangs(
    by_name: Callable[[Service], None], hanging: Resolver, call: Callable[[Service], object]
) -> None:
    """Nothing bounds the system's resolver, but the call doesn't wait for it."""
    with serving(told({})) as service:
        by_name(service)
        began = time.monotonic()
        with pytest.raises(ServiceUnavailable):
            call(service)
        assert time.monotonic() - began < SOON_S
        assert (service.asked, set(hanging.asked) - {"localhost"}) == ([], set())


def test_many_who_wait_for_one_host_ask_once(hanging: Resolver) -> None:
    """A resolver that hangs holds one thread for each host."""
    for _ in range(5):
        with pytest.raises(TimeoutError):
            addresses_of("lab.test", 0.01)
    assert hanging.asked == ["lab.test"]
    hanging.may_answer.set()
    assert addresses_of("lab.test", SOON_S) == ["127.0.0.1"]


def test_host_without_an_address_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the resolver says it; and a name that can't be one is none."""
    resolver = Resolver()
    resolver.may_answer.set()
    monkeypatch.setattr("socket.getaddrinfo", resolver)
    with pytest.raises(socket.gaierror):
        addresses_of("lab.test", SOON_S)
    assert addresses_of("::1", SOON_S) == ["::1"]


def test_name_that_can_be_none_is_an_error_of_the_network() -> None:
    """The resolver's own encoding refuses it."""
    with pytest.raises(OSError, match="name"):
        addresses_of("a" * 70 + ".test", SOON_S)


@pytest.mark.parametrize("name", ["openai", "storage"])
def test_each_address_of_a_host_is_tried(
    by_name: Callable[[Service], None], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Where nobody answers at the first one, the second one is asked."""
    resolver = Resolver("127.0.0.2", "127.0.0.1")
    resolver.may_answer.set()
    answer = told(FILE) if name == "openai" else whole(b"")
    with serving(answer) as service:
        by_name(service)
        monkeypatch.setattr("socket.getaddrinfo", resolver)
        if name == "openai":
            assert (
                azure_openai.connect(f"http://localhost:{service.port}").file("file-1") is not None
            )
        else:
            assert container().reach(SOON_S)


def test_proxy_of_the_machine_is_used_but_for_the_hosts_that_it_names(
    connected: Callable[[Service], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the name and the word that its address holds; a host that needs no proxy is asked
    straight.
    """
    with serving(told(FILE)) as proxy:
        connected(proxy)
        monkeypatch.setenv("TUNEDROP_OPENAI_API_KEY", "a-key")
        forget()
        monkeypatch.setenv("http_proxy", f"http://someone:a%20word@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "near.test")
        assert azure_openai.connect("http://far.test").file("file-1") is not None
        (asked,) = proxy.asked
        assert asked.target == "http://far.test/openai/v1/files/file-1"
        assert (
            asked.head["proxy-authorization"]
            == "Basic " + base64.b64encode(b"someone:a word").decode()
        )
        resolver = Resolver("127.0.0.1")
        resolver.may_answer.set()
        monkeypatch.setattr("socket.getaddrinfo", resolver)
        assert azure_openai.connect(f"http://near.test:{proxy.port}").file("file-1") is not None
        assert (proxy.asked[-1].target, resolver.asked[0]) == (
            "/openai/v1/files/file-1",
            "near.test",
        )
