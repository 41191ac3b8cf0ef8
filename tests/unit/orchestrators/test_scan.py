"""The scan: one activity per span, none past a span that stops it, and one join."""

import json
from typing import Any

import pytest
from durabletask.client import OrchestrationStatus

from orchestrators.names import Activity, Orchestrator
from orchestrators.scan import AT_ONCE, spans_of
from shared.models.answers import FileSize
from shared.models.base import wire
from shared.models.messages import CANCELLED, Answer, ScanStart, done, ended
from shared.models.record import Outcome
from tests.unit.orchestrators.theatre import Theatre, a_play


def spans(
    theatre: Theatre, files: dict[str, int], span_bytes: int
) -> list[tuple[str, int, int, int]]:
    """The spans that scan_range was given, in their order in the files."""
    play = a_play()
    state = theatre.play(
        play,
        Orchestrator.SCAN,
        files={role: {"bytes": size} for role, size in files.items()},
        span_bytes=span_bytes,
    )
    assert state.runtime_status is OrchestrationStatus.COMPLETED
    assert play.called == ["scan_range"] * (len(play.calls) - 1) + ["merge_scan"]
    return sorted(
        (s["role"], s["index"], s["start"], s["stop"]) for s in play.given(Activity.SCAN_RANGE)
    )


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, [("training", 0, 0, 0)]),
        (1, [("training", 0, 0, 1)]),
        (10, [("training", 0, 0, 10)]),
        (11, [("training", 0, 0, 10), ("training", 1, 10, 11)]),
        (30, [("training", 0, 0, 10), ("training", 1, 10, 20), ("training", 2, 20, 30)]),
    ],
)
def test_scan_reads_every_byte_once(
    theatre: Theatre, size: int, expected: list[tuple[str, int, int, int]]
) -> None:
    """The spans follow each other to the end of the file; an empty file has one that is empty."""
    assert spans(theatre, {"training": size}, 10) == expected


def test_scan_reads_every_file(theatre: Theatre) -> None:
    """Each file has spans of its own, numbered from nothing."""
    assert spans(theatre, {"validation": 4, "training": 12}, 10) == [
        ("training", 0, 0, 10),
        ("training", 1, 10, 12),
        ("validation", 0, 0, 4),
    ]


def test_scan_reads_more_spans_than_are_in_flight_at_once(theatre: Theatre) -> None:
    """The spans go in batches, and none is left out between two of them."""
    found = spans(theatre, {"training": AT_ONCE + 3}, 1)
    assert [index for _, index, _, _ in found] == list(range(AT_ONCE + 3))


def test_spans_carry_the_run_and_its_pace() -> None:
    """A span is all that its activity is given."""
    start = ScanStart(run_id="travel-12345678", files={"training": FileSize(bytes=2)}, span_bytes=1)
    assert [(span.run_id, span.pace) for span in spans_of(start)] == [
        (start.run_id, start.pace)
    ] * 2


@pytest.mark.parametrize("stop", [CANCELLED, ended(Outcome.SUPERSEDED)], ids=["cancelled", "ended"])
def test_scan_answers_what_stopped_it(theatre: Theatre, stop: Answer) -> None:
    """One span that stops is enough: the next batch is not begun, and nothing is joined."""

    def second_stops(given: dict[str, Any]) -> Answer:
        return stop if given["index"] == 1 else done()

    play = a_play(scan_range=second_stops)
    state = theatre.play(
        play, Orchestrator.SCAN, files={"training": {"bytes": AT_ONCE + 1}}, span_bytes=1
    )
    assert json.loads(state.serialized_output or "null") == wire(stop)
    assert play.called == ["scan_range"] * AT_ONCE


def test_scan_answers_what_the_join_says(theatre: Theatre) -> None:
    """The verdict on the whole is the join's."""
    play = a_play(merge_scan=ended(Outcome.REJECTED))
    state = theatre.play(play, Orchestrator.SCAN, files={"training": {"bytes": 1}}, span_bytes=1)
    assert json.loads(state.serialized_output or "null") == wire(ended(Outcome.REJECTED))


def test_scan_repeats_the_span_that_raised_and_no_other(theatre: Theatre) -> None:
    """A failure that passes costs one more reading of its own span."""
    failed: list[int] = []

    def first_time_fails(given: dict[str, Any]) -> Answer | Exception:
        if given["index"] == 1 and not failed:
            failed.append(1)
            return ConnectionError("busy")
        return done()

    play = a_play(scan_range=first_time_fails)
    theatre.play(play, Orchestrator.SCAN, files={"training": {"bytes": 3}}, span_bytes=1)
    assert sorted(given["index"] for given in play.given(Activity.SCAN_RANGE)) == [0, 1, 1, 2]


def test_scan_fails_when_a_span_keeps_raising(theatre: Theatre) -> None:
    """The run hears of it as a failure, and nothing is joined."""
    play = a_play(scan_range=ConnectionError("no way"))
    state = theatre.play(play, Orchestrator.SCAN, files={"training": {"bytes": 1}}, span_bytes=1)
    assert state.runtime_status is OrchestrationStatus.FAILED
    assert play.called == ["scan_range"] * 11
