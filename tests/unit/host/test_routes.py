"""Routes of HTTP functions."""

from pathlib import Path

import pytest

from tests.unit.host.builders import an_http_function
from tunedrop.host.errors import HostError
from tunedrop.host.host_json import durable_task, route_prefix
from tunedrop.host.routes import routes


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("runs", "/api/runs", {}),
        ("runs", "/api/runs/x", None),
        ("runs", "/runs", None),
        ("runs/{id}", "/api/runs/a-1", {"id": "a-1"}),
        ("runs/{id}", "/api/runs/a/b", None),
        ("runs/{id}/approve", "/api/runs/a/approve", {"id": "a"}),
        ("runs/{id?}", "/api/runs", {}),
        ("pages/{page:int}", "/api/pages/7", {"page": "7"}),
        ("pages/{page:int}", "/api/pages/x", None),
        ("web/{*rest}", "/api/web/css/a.css", {"rest": "css/a.css"}),
        ("a.b", "/api/axb", None),
    ],
)
def test_route_matches_a_path(template: str, path: str, expected: dict[str, str] | None) -> None:
    """A template takes its paths, all of each, and names the parts."""
    assert routes([an_http_function(template)], "api")[0].match(path) == expected


def test_route_that_is_more_literal_is_tried_first() -> None:
    """`runs/current` wins over `runs/{id}`, whatever the app's order."""
    ordered = routes(
        [
            an_http_function("runs/{id}", name="one"),
            an_http_function("runs/current", name="current"),
        ],
        "api",
    )
    assert [route.function.name for route in ordered] == ["current", "one"]


def test_route_is_the_functions_name_when_none_is_given() -> None:
    """A function without a route answers at its own name."""
    assert routes([an_http_function("", name="health")], "")[0].match("/health") == {}


def test_route_is_refused_when_its_template_is_unknown() -> None:
    """A constraint that the host doesn't know is an error at start, not a 404 later."""
    with pytest.raises(HostError, match="can't serve"):
        routes([an_http_function("{when:datetime}")], "api")


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        (None, "api"),
        ('{"version": "2.0"}', "api"),
        ('{"extensions": {"http": {"routePrefix": "v1/"}}}', "v1"),
    ],
    ids=["no file", "not said", "said"],
)
def test_prefix_comes_from_host_json(tmp_path: Path, text: str | None, prefix: str) -> None:
    """The prefix is `api` unless host.json names another."""
    if text:
        (tmp_path / "host.json").write_text(text)
    assert route_prefix(tmp_path) == prefix


@pytest.mark.parametrize(
    ("text", "version"),
    [(None, ""), ("{}", ""), ('{"extensions": {"durableTask": {"defaultVersion": "1.1"}}}', "1.1")],
)
def test_version_of_new_orchestrations_comes_from_host_json(
    tmp_path: Path, text: str | None, version: str
) -> None:
    """None unless host.json names one."""
    if text:
        (tmp_path / "host.json").write_text(text)
    assert durable_task(tmp_path).version == version


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("{}", 300),
        (
            (
                '{"controlQueueVisibilityTimeout": "00:01:00", "workItemQueueVisibilityTimeout": '
                '"00:01:00"}'
            ),
            60,
        ),
    ],
)
def test_time_until_lost_work_comes_back_is_host_jsons(
    tmp_path: Path, given: str, seconds: int
) -> None:
    """Five minutes, the extension's default, unless the file says otherwise."""
    (tmp_path / "host.json").write_text(
        f'{{"extensions": {{"durableTask": {{"storageProvider": {given}}}}}}}'
    )
    settings = durable_task(tmp_path)
    assert (settings.control_hidden.total_seconds(), settings.work_item_hidden.total_seconds()) == (
        seconds,
        seconds,
    )


def test_time_that_is_none_is_refused_with_its_name(tmp_path: Path) -> None:
    """A host that guessed would be another one than on Azure."""
    (tmp_path / "host.json").write_text(
        '{"extensions": {"durableTask": {"storageProvider": {"controlQueueVisibilityTimeout": '
        '"soon"}}}}'
    )
    with pytest.raises(HostError, match="controlQueueVisibilityTimeout"):
        durable_task(tmp_path)


def test_prefix_is_refused_when_host_json_is_broken(tmp_path: Path) -> None:
    """A host.json that can't be read is named."""
    (tmp_path / "host.json").write_text("{")
    with pytest.raises(HostError, match=r"host\.json"):
        route_prefix(tmp_path)
