"""Which seed catches which known bug: found by `simulate --mutations --record`, held by the
tests.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.simulator.trouble import PRESETS, Trouble

FILE = Path(__file__).parent / "caught.json"


@dataclass(frozen=True)
class Catch:
    """A seed that catches a bug, in one of the presets or in its own trouble."""

    seed: int
    preset: str | None

    @property
    def trouble(self) -> Trouble | None:
        """The trouble that it needs; None: the seed's own."""
        return PRESETS[self.preset] if self.preset else None


def read() -> dict[str, Catch]:
    """What is known, by the name of the bug."""
    return (
        {name: Catch(**told) for name, told in json.loads(FILE.read_text(encoding="utf-8")).items()}
        if FILE.exists()
        else {}
    )


def write(known: dict[str, Catch]) -> None:
    """Keeps what is known."""
    FILE.write_text(
        json.dumps({name: asdict(catch) for name, catch in sorted(known.items())}, indent=1) + "\n",
        encoding="utf-8",
    )
