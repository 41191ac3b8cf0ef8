"""NCRONTAB schedules of timer triggers: the next occurrence, in UTC.

Six fields, `{second} {minute} {hour} {day} {month} {day of week}`, or five without the second.
Source: Functions timer trigger reference, section NCRONTAB expressions.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
HORIZON = timedelta(days=366 * 8 + 1)  # 29 February can be eight years away, around 2100


class ScheduleError(ValueError):
    """The text is no schedule; the sentence names the field."""

    def __init__(self, expression: str, why: str) -> None:
        super().__init__(f"The schedule '{expression}' is wrong: {why}.")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> frozenset[int]:
        """The values that this text stands for; raises ValueError."""
        return frozenset(value for part in text.split(",") for value in self._part(part))

    def _part(self, text: str) -> range:
        span, slash, step_text = text.partition("/")
        step = int(step_text) if slash else 1
        first, dash, last = span.partition("-")
        if span == "*":
            start, end = self.low, self.high
        else:
            start = self._value(first)
            end = self._value(last) if dash else self.high if slash else start
        if step < 1 or end < start:
            raise ValueError(text)
        return range(start, end + 1, step)

    def _value(self, text: str) -> int:
        word = text.lower()[:3]
        value = self.names.index(word) + self.low if word in self.names else int(text)
        if not self.low <= value <= self.high:
            raise ValueError(text)
        return value


# As in the Functions host, a day must match both its fields (classic cron asks for either),
# weekdays count from Sunday = 0, and `5/15` means "from 5 on, every 15".
FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, MONTHS),
    _Field("day of week", 0, 6, WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed NCRONTAB expression."""

    expression: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> "Schedule":
        """Read five or six fields; raises ScheduleError."""
        texts = expression.split()
        if len(texts) not in (5, 6):
            raise ScheduleError(expression, "it needs five or six fields")
        values: list[frozenset[int]] = []
        for field, text in zip(FIELDS, texts if len(texts) == 6 else ["0", *texts], strict=True):
            try:
                values.append(field.parse(text))
            except ValueError as error:
                raise ScheduleError(expression, f"{field.name} can't be '{text}'") from error
        seconds, minutes, hours = (tuple(sorted(value)) for value in values[:3])
        return cls(expression, seconds, minutes, hours, *values[3:])

    def after(self, moment: datetime) -> datetime:
        """The first occurrence later than this moment; raises ScheduleError where there is none."""
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        day = start.date()
        while (day - start.date()) < HORIZON:
            if self._matches(day.day, day.month, (day.weekday() + 1) % 7):
                earliest = (
                    start
                    if day == start.date()
                    else datetime(day.year, day.month, day.day, tzinfo=UTC)
                )
                if (found := self._on_day(earliest)) is not None:
                    return found
            day += timedelta(days=1)
        raise ScheduleError(self.expression, "no such day ever comes")

    def _matches(self, day: int, month: int, weekday: int) -> bool:
        return day in self.days and month in self.months and weekday in self.weekdays

    def _on_day(self, earliest: datetime) -> datetime | None:
        wanted = (earliest.hour, earliest.minute, earliest.second)
        for hour in self.hours:
            if hour < wanted[0]:
                continue
            for minute in self.minutes:
                if (hour, minute) < wanted[:2]:
                    continue
                second = next(
                    (value for value in self.seconds if (hour, minute, value) >= wanted), None
                )
                if second is not None:
                    return earliest.replace(hour=hour, minute=minute, second=second)
        return None
