"""The HTTP API of runs, as the commands use it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlsplit

from tunedrop.cli.output import ERRORS, UNAVAILABLE, Trouble, command
from tunedrop.local import session

if TYPE_CHECKING:
    import httpx2

NO_SUCH_RUN = "TD-HTTP-004"
NO_SUCH_FILE = "TD-HTTP-009"
PAGE = 1_000  # runs asked for at a time
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Unreachable(Trouble):
    """Nothing that can be used answers at the API's address, now."""

    def __init__(self, why: str) -> None:
        super().__init__(why, UNAVAILABLE)


class Refused(Trouble):
    """The API answered with an error of its own."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(
            " ".join(
                str(part)
                for part in (f"{told.get('code')}:", told.get("message"), told.get("fix"))
                if part
            ),
            ERRORS,
        )
        self.no_such_run = told.get("code") == NO_SUCH_RUN
        self.no_such_file = told.get("code") == NO_SUCH_FILE


class Api:
    """The HTTP API of a TuneDrop. Every call may raise Unreachable or Refused."""

    def __init__(
        self, base: str, key: str, transport: "httpx2.BaseTransport | None" = None
    ) -> None:
        import httpx2  # 0.05 s: only for commands that ask

        if urlsplit(base).scheme not in {"http", "https"}:
            raise Trouble(
                "The address of the API must begin with https:// or http://, and end with /api."
            )
        # A company's proxy doesn't lead to this machine.
        local = urlsplit(base).hostname in LOOPBACK
        self._client = httpx2.Client(
            base_url=base,
            headers={"x-functions-key": key},
            timeout=30,
            transport=transport,
            trust_env=not local,
        )

    def runs(self) -> list[dict[str, Any]]:
        """The newest page of runs."""
        return self._page({})[0]

    def newest(self, most: int | None) -> tuple[list[dict[str, Any]], str | None]:
        """The newest runs, so many at most or all, page by page; and the cursor of what is left."""
        rows, cursor = list[dict[str, Any]](), None
        while most is None or len(rows) < most:
            limit = PAGE if most is None else min(most - len(rows), PAGE)
            page, cursor = self._page(
                {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
            )
            rows += page
            if cursor is None or not page:
                break
        return rows, cursor

    def _page(self, query: dict[str, str]) -> tuple[list[dict[str, Any]], str | None]:
        told = self._ask("GET", "/runs", query=query)
        return cast("list[dict[str, Any]]", told["runs"]), cast("str | None", told.get("cursor"))

    def run(self, run_id: str) -> dict[str, Any]:
        """One run."""
        return self._ask("GET", f"/runs/{quote(run_id, safe='')}")

    def cancel(self, run_id: str) -> dict[str, Any]:
        """Asks for a cancel."""
        return self._ask("POST", f"/runs/{quote(run_id, safe='')}/cancel")

    def deploy(self, run_id: str, wish: dict[str, Any]) -> dict[str, Any]:
        """Asks to deploy a run's model again."""
        return self._ask("POST", f"/runs/{quote(run_id, safe='')}/deploy", wish)

    def report_file(self, run_id: str, file: str) -> bytes:
        """A file of a run's report."""
        answer = self._answer("GET", f"/runs/{quote(run_id, safe='')}/report", {"file": file})
        if answer.is_success:
            return answer.content
        raise _refusal(answer)

    def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        query: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        answer = self._answer(method, path, query or None, body)
        told = _decoded(answer)
        if answer.is_success and told is not None:
            return told
        raise _refusal(answer)

    def _answer(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> "httpx2.Response":
        import httpx2  # as above

        try:
            answer = self._client.request(method, path, params=query, json=body)
        except httpx2.TransportError as error:
            raise Unreachable(
                f"The API does not answer ({type(error).__name__}). {no_stack()}"
            ) from None
        if answer.status_code in {401, 403}:
            raise Unreachable("The API refuses the key. Give its function key with --key.")
        return answer


def _refusal(answer: "httpx2.Response") -> Trouble:
    told = _decoded(answer)
    if told is not None and (error := part(told, "error")):
        return Refused(error)
    return Unreachable(
        f"The API answers with status {answer.status_code}, and not as TuneDrop does. Its "
        "address ends with /api."
    )


def _decoded(answer: "httpx2.Response") -> dict[str, Any] | None:
    try:
        told: object = json.loads(answer.content)
    except ValueError:
        return None
    return cast("dict[str, Any]", told) if isinstance(told, dict) else None


def part(told: dict[str, Any], name: str) -> dict[str, Any]:
    """The object under this name in what a service told; empty where there is none."""
    found: object = told.get(name)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def no_stack() -> str:
    """What to do where nothing runs here."""
    return (
        f"Start TuneDrop with `{command()} local` in another terminal, or name its API with --api "
        "and --key."
    )


def api_of(base: str | None, key: str | None, data: Path) -> Api:
    """The API that the options name, or that of the stack running here, whose key goes nowhere
    else.

    Raises:
        Unreachable: neither is there.
    """
    if base is not None:
        return Api(base, key or "")
    running = session.recall(data)
    if running is None:
        raise Unreachable(f"No TuneDrop is running here. {no_stack()}")
    return Api(running.api, key or running.key)
