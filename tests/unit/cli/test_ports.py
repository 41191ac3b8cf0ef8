"""The ports of the local stack, checked before anything is started."""

import socket
from collections.abc import Iterator
from dataclasses import astuple, replace

import pytest

from tunedrop.local.ports import ANY, DEFAULTS, HOST, OPTIONS, PortUnusable, chosen


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def test_defaults_are_the_ones_of_functions_and_azurite() -> None:
    """Who knows Core Tools and Azurite finds both where they always are; the engine takes any free
    port.
    """
    assert astuple(DEFAULTS) == (7071, 10_000, 4010, 0)


def test_every_zero_becomes_another_free_port() -> None:
    """Four zeros are four different ports, and nobody holds them afterwards."""
    ports = astuple(chosen(ANY))
    assert len({*ports, 0}) == 5
    for port in ports:
        with socket.socket() as listener:
            listener.bind((HOST, port))


@pytest.mark.parametrize(
    ("field", "option"), list(zip(("api", "storage", "emulator", "engine"), OPTIONS, strict=True))
)
def test_taken_port_is_named_with_the_option_that_changes_it(
    taken: int, field: str, option: str
) -> None:
    """The sentence tells which port, and what to do about it."""
    with pytest.raises(PortUnusable) as refused:
        chosen(replace(ANY, **{field: taken}))
    assert str(refused.value) == (
        f"Port {taken} on 127.0.0.1 is taken. Choose another with {option}; 0 means any free port."
    )


def test_port_wanted_twice_is_refused_with_both_options() -> None:
    """Two parts can't share a port."""
    with pytest.raises(PortUnusable) as refused:
        chosen(replace(ANY, storage=5001, engine=5001))
    assert str(refused.value) == (
        "Port 5001 is wanted by --storage-port and by --engine-port. Give each its own; 0 "
        "means any free port."
    )
