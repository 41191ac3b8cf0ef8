"""What holds for every test: its time limit is a safety net, scaled to the machine; and what takes
long begins first.

Files go to the workers in this order, a file to one worker: a long one that began last would keep
the others waiting for its end.
"""

from collections import Counter
from collections.abc import Generator

import pytest

from tests.patience import patience


def _seconds(item: pytest.Item) -> int:
    """The limit that a test or its file names; 0 for one that needs no more than all have."""
    named = item.get_closest_marker("timeout")
    return int(named.args[0]) if named else 0


def _folder(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0].rpartition("/")[0]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts that folder first, and in it that file, whose tests may take the most time; a folder
    stays together, as it shares a stack.
    """
    by_folder, by_file = Counter[str](), Counter[str]()
    for item in items:
        by_folder[_folder(item)] += _seconds(item)
        by_file[item.nodeid.partition("::")[0]] += _seconds(item)

    def turn(item: pytest.Item) -> tuple[int, str, int, str]:
        folder, file = _folder(item), item.nodeid.partition("::")[0]
        return -by_folder[folder], folder, -by_file[file], file

    items.sort(key=turn)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Gives the test its limit, before pytest-timeout reads it."""
    limit = _seconds(item) or float(item.config.getini("timeout"))
    item.add_marker(pytest.mark.timeout(patience(limit)), append=False)
    return (yield)
