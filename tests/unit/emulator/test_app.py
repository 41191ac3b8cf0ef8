"""The app in process, without a server."""

import asyncio
from typing import Any

import httpx2
import pytest

from tunedrop.emulator.app import create_app
from tunedrop.emulator.pace import INSTANT
from tunedrop.emulator.world import API_KEY, Config

BASE = "http://127.0.0.1"
HEADERS = {"api-key": API_KEY}


def ask(method: str, path: str, config: Config, **options: Any) -> httpx2.Response:
    """One request to a fresh stand-in."""

    async def send() -> httpx2.Response:
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(create_app(config)), base_url=BASE, headers=HEADERS
        ) as client:
            return await client.request(method, path, **options)

    return asyncio.run(send())


def test_app_serves_in_process() -> None:
    """A test needs no port."""
    assert ask("GET", "/openai/v1/files", Config(pace=INSTANT)).json()["data"] == []


def test_dropped_connection_is_an_aborted_one_in_process() -> None:
    """Without a socket the caller meets the exception that a socket would give."""
    with pytest.raises(ConnectionAbortedError):
        ask(
            "GET",
            "/openai/v1/files",
            Config(faults=[{"on": "files.list", "then": "drop_connection"}]),
        )


def test_two_stand_ins_share_nothing() -> None:
    """Each app has its own state."""
    first, second = Config(faults=[{"on": "files.list", "then": {"status": 403}}]), Config()
    assert ask("GET", "/openai/v1/files", first).status_code == 403
    assert ask("GET", "/openai/v1/files", second).status_code == 200


def test_key_is_a_setting() -> None:
    """The data plane takes the key that it was given."""
    assert ask("GET", "/openai/v1/files", Config(api_key="other")).status_code == 401
