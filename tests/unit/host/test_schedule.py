"""NCRONTAB by value."""

from datetime import UTC, datetime

import pytest

from tunedrop.host.schedule import Schedule, ScheduleError


@pytest.mark.parametrize(
    ("expression", "moment", "expected"),
    [
        ("0 */5 * * * *", "2026-01-01T00:00:00", "2026-01-01T00:05:00"),
        ("0 */5 * * * *", "2026-01-01T00:04:59", "2026-01-01T00:05:00"),
        ("*/15 * * * * *", "2026-01-01T00:00:46", "2026-01-01T00:01:00"),
        ("*/10 * * * *", "2026-01-01T23:59:00", "2026-01-02T00:00:00"),
        ("30 59 23 31 12 *", "2026-12-31T23:59:30", "2027-12-31T23:59:30"),
        ("0 30 9 * * mon-fri", "2026-01-02T09:30:00", "2026-01-05T09:30:00"),
        ("0 0 12 * * 0", "2026-01-01T00:00:00", "2026-01-04T12:00:00"),
        ("0 0 12 * * Sunday", "2026-01-01T00:00:00", "2026-01-04T12:00:00"),
        ("0 0 0 29 2 *", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 13 * 5", "2026-01-01T00:00:00", "2026-02-13T00:00:00"),
        ("0 5/15 * * * *", "2026-01-01T00:06:00", "2026-01-01T00:20:00"),
        ("0 10-20/5,40 * * * *", "2026-01-01T00:16:00", "2026-01-01T00:20:00"),
        ("0 10-20/5,40 * * * *", "2026-01-01T00:20:00", "2026-01-01T00:40:00"),
        ("0 0 0 1 jan,jul *", "2026-01-01T00:00:00", "2026-07-01T00:00:00"),
        ("0 45 7-9 * * *", "2026-01-01T08:50:00", "2026-01-01T09:45:00"),
    ],
)
def test_schedule_finds_the_next_time(expression: str, moment: str, expected: str) -> None:
    """The next occurrence is the first one later than the moment, in UTC."""
    found = Schedule.parse(expression).after(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_schedule_is_read_in_utc_when_the_moment_is_local() -> None:
    """A moment in another zone is taken for what it is in UTC."""
    moment = datetime.fromisoformat("2026-01-01T01:00:00+02:00")
    assert Schedule.parse("0 0 0 * * *").after(moment) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "field"),
    [
        ("* * * *", "five or six"),
        ("60 * * * * *", "second"),
        ("0 */0 * * * *", "minute"),
        ("0 0 24 * * *", "hour"),
        ("0 0 0 0 * *", "day"),
        ("0 0 0 * x *", "month"),
        ("0 0 0 * * 7", "day of week"),
        ("0 20-10 * * * *", "minute"),
        ("0 1,,2 * * * *", "minute"),
    ],
)
def test_schedule_is_refused_with_the_field_when_it_is_wrong(expression: str, field: str) -> None:
    """The sentence names the field that can't be read."""
    with pytest.raises(ScheduleError, match=field):
        Schedule.parse(expression)


def test_schedule_is_refused_when_its_day_never_comes() -> None:
    """30 February ends the search with an error."""
    with pytest.raises(ScheduleError, match="ever comes"):
        Schedule.parse("0 0 0 30 2 *").after(datetime(2026, 1, 1, tzinfo=UTC))
