"""The syntax of /etc/cron.d files: pure, from text to entries. Source: crontab(5) of Debian's cron."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SHORTHANDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class CrontabError(ValueError):
    """A line that cron does not understand; the text says which part."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The minutes at which an entry is due.

    `any_day` of month or week says that the field began with `*`: when both are restricted, one match is enough.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def matches(self, moment: datetime) -> bool:
        """Whether the entry is due in the minute of `moment`."""
        in_time = moment.minute in self.minutes and moment.hour in self.hours and moment.month in self.months
        return in_time and self._matches_day(moment)

    def _matches_day(self, moment: datetime) -> bool:
        day, weekday = moment.day in self.days, moment.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return day and weekday
        return day or weekday


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A command that a user runs on a schedule, or at every boot when the schedule is None."""

    schedule: Schedule | None
    user: str
    command: str
    standard_input: str
    environment: Mapping[str, str]


def parse(text: str) -> Iterator[Entry | CrontabError]:
    """Read a file of /etc/cron.d; a line that cannot be understood comes as its error, and the others still count."""
    environment: dict[str, str] = {}
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if equals and name.strip().isidentifier():
            environment[name.strip()] = value.strip().strip("\"'")
            continue
        try:
            yield _entry(line, environment)
        except CrontabError as error:
            yield error


def _entry(line: str, environment: Mapping[str, str]) -> Entry:
    count = 1 if line.startswith("@") else 5
    fields = line.split(None, count + 1)
    if len(fields) < count + 2:
        raise CrontabError(f"{line!r}: expected a schedule, a user and a command")
    command, _, rest = _split_at_percent(fields[-1])
    return Entry(
        schedule=None if fields[0] == "@reboot" else schedule(" ".join(fields[:count])),
        user=fields[count],
        command=command,
        standard_input=rest,
        environment=dict(environment),
    )


def _split_at_percent(command: str) -> tuple[str, str, str]:
    """Split at the first bare `%`: what follows is standard input, in which further ones are line ends."""
    before, sign, after = command.replace("\\%", "\0").partition("%")
    return before.replace("\0", "%"), sign, after.replace("%", "\n").replace("\0", "%")


def schedule(text: str) -> Schedule:
    """Read five fields, or a shorthand such as @daily.

    :raises CrontabError: when a field is not understood.
    """
    fields = _SHORTHANDS.get(text, text).split()
    if len(fields) != 5:
        raise CrontabError(f"{text!r} is not a schedule")
    minute, hour, day, month, weekday = fields
    return Schedule(
        minutes=_values(minute, range(60), {}),
        hours=_values(hour, range(24), {}),
        days=_values(day, range(1, 32), {}),
        months=_values(month, range(1, 13), {name: number for number, name in enumerate(_MONTHS, 1)}),
        weekdays=frozenset(
            number % 7 for number in _values(weekday, range(8), {name: number for number, name in enumerate(_DAYS)})
        ),
        any_day=day.startswith("*"),
        any_weekday=weekday.startswith("*"),
    )


def _values(field: str, allowed: range, names: Mapping[str, int]) -> frozenset[int]:
    values: set[int] = set()
    for part in field.split(","):
        extent, slash, step = part.partition("/")
        first, last = _extent(extent, allowed, names)
        if slash and extent != "*" and "-" not in extent:
            last = allowed[-1]
        values.update(range(first, last + 1, _number(step, range(1, 1000), {}) if slash else 1))
    return frozenset(values)


def _extent(text: str, allowed: range, names: Mapping[str, int]) -> tuple[int, int]:
    if text == "*":
        return allowed[0], allowed[-1]
    first, dash, last = text.partition("-")
    begin = _number(first, allowed, names)
    end = _number(last, allowed, names) if dash else begin
    if end < begin:
        raise CrontabError(f"{text!r} runs backwards")
    return begin, end


def _number(text: str, allowed: range, names: Mapping[str, int]) -> int:
    value = names.get(text.lower())
    if value is None:
        value = int(text) if text.isascii() and text.isdigit() else -1
    if value not in allowed:
        raise CrontabError(f"{text!r} is not between {allowed[0]} and {allowed[-1]}")
    return value
