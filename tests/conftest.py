"""What holds for every test: its time limit is a safety net, scaled to what this machine is measured to do."""

from collections.abc import Generator

import pytest

from tests.patience import patience


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Gives the test its limit, before pytest-timeout reads it."""
    named = item.get_closest_marker("timeout")
    seconds = float(named.args[0] if named else item.config.getini("timeout"))
    item.add_marker(pytest.mark.timeout(patience(seconds)), append=False)
    return (yield)
