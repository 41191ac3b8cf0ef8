"""Orchestrators are deterministic, and the walk that says so notices what is not."""

from pathlib import Path

import pytest

from tests.unit.house import repository
from tests.unit.house.determinism import violations

BAD = {
    "clock": "when = datetime.now(UTC)",
    "old clock": "when = datetime.utcnow()",
    "today": "day = date.today()",
    "time module": "import time",
    "sleep by name": "from asyncio import sleep\nsleep(1)",
    "sleep that nobody waits for": "def run(story):\n    story.sleep(5)\n    yield",
    "monotonic": "began = clock.monotonic()",
    "random module": "import random",
    "choice": "chosen = dice.choice(roles)",
    "uuid4": "from uuid import uuid4\nname = uuid4()",
    "secrets": "import secrets",
    "open": "text = open('settings.json').read()",
    "getenv": "value = os.getenv('TUNEDROP_MODEL')",
    "environ": "value = os.environ['TUNEDROP_MODEL']",
    "print": "print('settled')",
    "http": "import httpx2",
    "adapter": "from shared.services import storage",
    "adapter's name": "from shared.runs.ledger import open_ledger",
    "activity": "from activities import create_job",
    "import in a function": "def run(context, given):\n    import requests",
    "thread": "import threading",
    "async": "async def run(context, given):\n    return 1",
    "hash of a string": "bucket = hash(name) % 4",
    "global": "def run(context, given):\n    global seen\n    seen = 1",
    "log of the module": "logging.info('settled')",
    "log of a logger": "log = logging.getLogger(__name__)\nlog.warning('settled')",
    "log in one line": "logging.getLogger('run').error('settled')",
    "loop over a set": "for role in {'training', 'validation'}:\n    pass",
    "loop over a named set": "roles = set(given)\nfor role in roles:\n    pass",
    "comprehension over a set": "files = [role for role in set(given)]",
    "list of a set": "files = list(frozenset(given) | other)",
    "join of a set": "text = ', '.join({'a', 'b'})",
    "spread of a set": "files = [*set(given)]",
    "retry_timeout": (
        "policy = task.RetryPolicy(max_number_of_attempts=3, retry_timeout=timedelta(hours=1))"
    ),
    "unyielded activity": (
        "def run(context, given):\n    context.call_activity('deploy')\n    yield"
    ),
    "unyielded timer": "def run(context, given):\n    context.create_timer(wait)\n    yield",
}
GOOD = {
    "the engine's clock": "when = context.current_utc_datetime + timedelta(minutes=5)",
    "the engine's ids": "name = context.new_uuid()",
    "replay-safe logger": (
        "log = context.create_replay_safe_logger(logging.getLogger(__name__))\nlog.info('settled')"
    ),
    "a set asked": "if role in {'training', 'validation'}:\n    pass",
    "a set put in order": "for role in sorted(set(given)):\n    pass",
    "a task awaited": (
        "def run(context, given):\n    answer = yield context.call_activity('deploy')\n    return "
        "answer"
    ),
    "a durable sleep": "def run(story):\n    yield from story.sleep(5)",
    "pure part of shared": "from shared.models.plan import Plan\nfrom shared.errors import Problem",
    "stories": (
        "from orchestrators.names import Activity\nfrom durabletask import task\nimport "
        "azure.durable_functions as df"
    ),
}


@pytest.mark.parametrize("source", BAD.values(), ids=list(BAD))
def test_walk_finds_a_violation_when_the_code_differs_between_replays(source: str) -> None:
    """Each of these would break a replay, and is noticed."""
    assert violations(source) != []


@pytest.mark.parametrize("source", GOOD.values(), ids=list(GOOD))
def test_walk_finds_nothing_when_the_code_replays(source: str) -> None:
    """What the engine makes safe is let through."""
    assert violations(source) == []


def test_walk_names_the_line_when_it_finds_a_violation() -> None:
    """A finding says where and what."""
    assert violations("a = 1\nb = open('x')\n") == ["2: call of open"]


@pytest.mark.parametrize("path", repository.modules("orchestrators"), ids=repository.name_of)
def test_orchestrators_are_deterministic_whenever_they_replay(path: Path) -> None:
    """No orchestrator does what its replay would do differently."""
    assert violations(path.read_text(encoding="utf-8")) == []
