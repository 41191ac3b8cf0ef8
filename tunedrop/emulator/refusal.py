"""A refusal: what a state machine says when it won't, in no service's wire shape yet.
`openai/errors.py` and `arm/errors.py` build them; the routes give them their shape.
"""


class Refusal(Exception):
    """A request that the service declines: HTTP status, code, sentence, and some headers."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        inner: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.inner = inner
        self.headers = headers or {}
        self.noted = False
        """Whether the ledger already has it."""
