"""What a service can cost us: bytes after unpacking, pages, and the whole time of a call; and where
our token goes.
"""

import gzip
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

from shared.errors import OutcomeUnknown, ServiceRejected, ServiceUnavailable
from shared.models.plan import DeploymentPlan
from shared.services import call_limits
from shared.services.azure_openai import AzureOpenAI
from shared.services.bounded_azure import transport
from shared.services.resource_manager import ResourceManager
from tests.patience import patience
from tests.unit.adapters.misbehaving import (
    ACCOUNT_ID,
    DRIPPING,
    Answering,
    Asked,
    Service,
    arm_of,
    bomb,
    connected,
    container,
    endless,
    openai_of,
    serving,
    told,
    whole,
)
from tests.unit.adapters.openai_wire import job_body
from tests.unit.adapters.test_azure_openai_creating import an_order

__all__ = ["connected"]

type Point = Callable[[Service], None]
SOON_S = 20  # a safety net: what is tested ends within one second, or never
CALL_S = 1.0

READS: dict[str, Callable[[Service], object]] = {
    "file": lambda service: openai_of(service).file("file-1"),
    "jobs": lambda service: openai_of(service).count_jobs(),
    "content": lambda service: openai_of(service).content("file-1"),
    "deployment": lambda service: arm_of(service).deployment("d"),
    "models": lambda service: arm_of(service).models(),
    "permissions": lambda service: arm_of(service).may_deploy(),
    "blob": lambda _service: container().read("job.json"),
    "listing": lambda _service: list(container().list()),
}
CREATING: dict[str, Callable[[Service], object]] = {
    "job": lambda service: openai_of(service).create_job(an_order(), CALL_S),
    "deployment": lambda service: put(arm_of(service)),
}
EACH_READ = pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
EACH_CREATING = pytest.mark.parametrize("create", CREATING.values(), ids=CREATING.keys())


def put(manager: ResourceManager) -> str:
    """Puts a deployment, within a second."""
    return manager.put_deployment(
        DeploymentPlan(name="d", sku="GlobalStandard", capacity=1), "model", "run-1", CALL_S
    )


@pytest.fixture(scope="module")
def large_bomb() -> Answering:
    """Less than 100 kB that unpack to 80 MB."""
    return bomb(80)


@EACH_READ
def test_answer_that_unpacks_to_too_much_is_unavailable(
    connected: Point, read: Callable[[Service], object], large_bomb: Answering
) -> None:
    """What is held of it is bounded after unpacking; a service that is well again answers
    otherwise.
    """
    with serving(large_bomb) as service:
        connected(service)
        with pytest.raises(ServiceUnavailable):
            read(service)


@EACH_READ
def test_answer_without_an_end_is_cut_off(
    connected: Point, read: Callable[[Service], object]
) -> None:
    """However much a service sends, little more than the limit is taken from it."""
    with serving(endless) as service:
        connected(service)
        with pytest.raises(ServiceUnavailable):
            read(service)
        buffers = 32 * 2**20
        assert service.sent_bytes < len(service.asked) * (
            call_limits.CONTENT_BYTES + call_limits.ANSWER_BYTES + buffers
        )


@EACH_CREATING
@pytest.mark.parametrize("kind", ["bomb", "endless"])
def test_limit_that_strikes_after_a_creating_call_leaves_its_outcome_unknown(
    connected: Point, create: Callable[[Service], object], kind: str, large_bomb: Answering
) -> None:
    """The call was sent, once, and may have made what it says."""
    with serving(large_bomb if kind == "bomb" else endless) as service:
        connected(service)
        with pytest.raises(OutcomeUnknown):
            create(service)
        assert len(service.asked) == 1


@EACH_CREATING
@pytest.mark.parametrize("dripping", DRIPPING.values(), ids=DRIPPING.keys())
def test_creating_call_is_over_in_its_time_when_a_byte_comes_now_and_then(
    connected: Point, create: Callable[[Service], object], dripping: Answering
) -> None:
    """Each byte is in time for a time-out of one read; the call's own time is over all the same."""
    with serving(dripping) as service:
        connected(service)
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            create(service)
        assert time.monotonic() - began < patience(SOON_S)
        assert len(service.asked) == 1


@pytest.mark.parametrize("dripping", DRIPPING.values(), ids=DRIPPING.keys())
def test_reads_that_have_a_time_are_over_in_it(connected: Point, dripping: Answering) -> None:
    """The smoke test's question, and the question whether storage is there."""
    with serving(dripping) as service:
        connected(service)
        began = time.monotonic()
        with pytest.raises(ServiceUnavailable):
            openai_of(service).chat("d", [{"role": "user", "content": "?"}], CALL_S)
        with pytest.raises(ServiceUnavailable):
            container().reach(CALL_S)
        assert time.monotonic() - began < patience(SOON_S)


class Slow:
    """An identity that gives its token when the time of the call is long over."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """A token, late."""
        self.over.wait(1.5 * CALL_S)
        return AccessToken("token", int(time.time()) + 3600)


def test_call_whose_token_came_too_late_is_never_sent(connected: Point) -> None:
    """A creating call that leaves after its time could be heard when another execution has looked,
    and acted.
    """
    with serving(told({"name": "d"})) as service:
        connected(service)
        client = CognitiveServicesManagementClient(
            Slow(),
            "s",
            base_url=service.base,
            credential_scopes=["scope"],
            transport=transport(service.base),
        )
        with pytest.raises(ServiceUnavailable):
            put(ResourceManager(client, ACCOUNT_ID, service.base, "2024-10-01"))
        assert service.asked == []


def pages(link: Callable[[Asked, int], Any]) -> Answering:
    """A page for each question, with whatever comes after it."""
    return lambda asked: told(link(asked, len(asked.service.asked)))(asked)


ENDLESS_PAGES: dict[str, tuple[Answering, Callable[[Service], object]]] = {
    "jobs-and-the-same-again": (
        pages(lambda _a, _n: {"data": [job_body()], "has_more": True}),
        READS["jobs"],
    ),
    "jobs-without-end": (
        pages(lambda _a, n: {"data": [job_body(id=f"ftjob-{n}")], "has_more": True}),
        READS["jobs"],
    ),
    "files-without-end": (
        pages(lambda _a, n: {"data": [{"id": f"file-{n}", "filename": "f"}], "has_more": True}),
        lambda service: openai_of(service).count_files(),
    ),
    "deployments-and-the-same-again": (
        pages(lambda a, _n: {"value": [], "nextLink": a.service.base + a.target}),
        lambda service: arm_of(service).deployments(),
    ),
    "models-without-end": (
        pages(lambda a, n: {"value": [], "nextLink": f"{a.service.base}/page/{n}"}),
        READS["models"],
    ),
    "usages-without-end": (
        pages(lambda a, n: {"value": [], "nextLink": f"{a.service.base}/page/{n}"}),
        lambda service: arm_of(service).quotas("westus"),
    ),
    "blobs-and-the-same-again": (lambda a: blobs("always")(a), READS["listing"]),
    "blobs-without-end": (lambda a: blobs(f"marker{len(a.service.asked)}")(a), READS["listing"]),
}


def blobs(marker: str) -> Answering:
    """An empty page of a listing of blobs."""
    page = (
        '<?xml version="1.0"?><EnumerationResults '
        f'ContainerName="c"><Blobs/><NextMarker>{marker}</NextMarker></EnumerationResults>'
    )
    return whole(page.encode(), Content_Type="application/xml")


@pytest.mark.parametrize(("answering", "ask"), ENDLESS_PAGES.values(), ids=ENDLESS_PAGES.keys())
def test_pages_without_end_are_given_up(
    connected: Point, answering: Answering, ask: Callable[[Service], object]
) -> None:
    """No listing is followed for ever, nor cut silently: a job that was not listed would be bought
    again.
    """
    with serving(answering) as service:
        connected(service)
        with pytest.raises(ServiceUnavailable):
            ask(service)
        assert len(service.asked) <= call_limits.PAGES + 2


LISTINGS: dict[str, Callable[[ResourceManager], object]] = {
    "models": ResourceManager.models,
    "deployments": ResourceManager.deployments,
    "quotas": lambda manager: manager.quotas("westus"),
    "policies": ResourceManager.rai_policies,
    "permissions": ResourceManager.may_deploy,
}


@pytest.mark.parametrize("ask", LISTINGS.values(), ids=LISTINGS.keys())
def test_token_goes_to_no_host_that_a_page_names(
    connected: Point, ask: Callable[[ResourceManager], object]
) -> None:
    """`nextLink` leads elsewhere: elsewhere hears nothing."""
    with (
        serving(told({})) as elsewhere,
        serving(told({"value": [], "nextLink": f"{elsewhere.base}/next"})) as service,
    ):
        connected(service)
        with pytest.raises(ServiceUnavailable, match="another host"):
            ask(arm_of(service))
        assert (len(service.asked), elsewhere.asked) == (1, [])


REDIRECTED: dict[str, Callable[[Service], object]] = {
    "arm-read": READS["deployment"],
    "arm-write": CREATING["deployment"],
    "openai-read": READS["file"],
    "openai-write": CREATING["job"],
    "storage-read": READS["blob"],
    "storage-write": lambda _service: container().put("b", b"x"),
}


@pytest.mark.parametrize("call", REDIRECTED.values(), ids=REDIRECTED.keys())
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_token_follows_no_redirect(
    connected: Point, call: Callable[[Service], object], status: int
) -> None:
    """An answer that sends the caller elsewhere is a refusal, asked for once, and elsewhere hears
    nothing.
    """
    with (
        serving(told({})) as elsewhere,
        serving(whole(b"", status, Location=f"{elsewhere.base}/")) as service,
    ):
        connected(service)
        with pytest.raises((ServiceRejected, ServiceUnavailable)) as raised:
            call(service)
        assert not isinstance(raised.value, OutcomeUnknown)
        assert (len(service.asked), elsewhere.asked) == (1, [])


@pytest.mark.parametrize("read", [READS["file"], READS["deployment"]], ids=["openai", "arm"])
def test_long_wait_that_a_service_asks_for_is_not_slept_inside_of_a_call(
    connected: Point, read: Callable[[Service], object]
) -> None:
    """The run waits, where it can be cancelled, and not a thread of the app."""
    with serving(told({"error": {"code": "Busy"}}, 503, Retry_After="600")) as service:
        connected(service)
        with pytest.raises(ServiceUnavailable) as raised:
            read(service)
        assert (raised.value.retry_after_s, len(service.asked)) == (600, 1)


def test_small_answers_are_read_packed_or_not(connected: Point) -> None:
    """The limits let pass what is within them."""
    plain = b'{"id": "file-1", "filename": "f", "status": "processed", "bytes": 1, "value": []}'
    packed = whole(gzip.compress(plain), Content_Encoding="gzip")
    with serving(packed, whole(plain), packed, whole(plain)) as service:
        connected(service)
        ask: list[Callable[[AzureOpenAI], Any]] = [
            lambda o: o.file("file-1"),
            lambda o: o.file("file-1"),
        ]
        assert [found.status for found in (one(openai_of(service)) for one in ask) if found] == [
            "processed"
        ] * 2
        assert [arm_of(service).rai_policies() is not None for _ in range(2)] == [True, True]


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"x" * 100, ""),
        (gzip.compress(b"x" * 100), "gzip"),
        (zlib.compress(b"x" * 100), "Deflate"),
        (b"x" * 100, " identity "),
    ],
    ids=["plain", "gzip", "deflate", "identity"],
)
def test_body_of_the_most_bytes_is_taken_and_one_more_is_not(body: bytes, encoding: str) -> None:
    """The limit is exact, however the body comes in pieces."""
    for size in (1, 7, 1000):
        pieces = [body[start : start + size] for start in range(0, len(body), size)]
        assert call_limits.whole(pieces, encoding, 100) == b"x" * 100
        with pytest.raises(call_limits.Exceeded):
            call_limits.whole(pieces, encoding, 99)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"x", "br"), (b"x", "gzip, gzip"), (b"no gzip", "gzip")],
    ids=["other", "twice", "broken"],
)
def test_body_that_is_packed_otherwise_is_none(body: bytes, encoding: str) -> None:
    """What nobody asked for is not guessed at."""
    with pytest.raises(call_limits.Exceeded):
        call_limits.whole([body], encoding, 100)


def test_inner_time_never_outlasts_the_outer_one() -> None:
    """The call as a whole bounds each of its requests."""
    with call_limits.within(5) as outer:
        with call_limits.within(60) as inner:
            assert inner.at_s == outer.at_s
        with call_limits.within(1) as shorter:
            assert shorter.at_s < outer.at_s
        assert call_limits.deadline() is outer
    assert call_limits.deadline() is None


@pytest.mark.parametrize(
    "other",
    [
        "https://lab.test:444/",
        "http://lab.test/",
        "https://lab.test.evil.test/",
        "https://user@evil.test/lab.test",
        "https://[::1",
        "//lab.test/",
    ],
)
def test_only_the_own_origin_is_our_own(other: str) -> None:
    """Scheme, host and port must all be ours."""
    call_limits.hold_to_origin("https://lab.test/openai/v1/files?x=1", "https://lab.test:443")
    with pytest.raises(call_limits.Exceeded):
        call_limits.hold_to_origin(other, "https://lab.test")
