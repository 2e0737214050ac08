"""Lengths of time, moments and counts as definitions write them: `30d`, `2026-01-31T09:00:00Z`, `">= 3"`."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

SECOND: Final = 1_000_000
"""One second in microseconds: all lengths and moments are whole microseconds."""
LONGEST_DAYS: Final = 365
"""How far back a condition of a model may look at earlier days."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = {
    "s": ("second", 1),
    "min": ("minute", 60),
    "h": ("hour", 3_600),
    "d": ("day", 86_400),
    "w": ("week", 604_800),
}
_LENGTH: Final = re.compile(r"(\d{1,7})\s*(s|min|h|d|w|seconds?|minutes?|hours?|days?|weeks?)")
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?\s*(Z|[+-]\d{2}(:?\d{2})?)?)?")
_COUNT: Final = re.compile(r"(>=|<=|!=|=|==|>|<)?\s*(\d{1,9})")
_COMPARED: Final = re.compile(r"(>=|<=|>|<)?\s*(.+)")


def length_us(text: str) -> int:
    """A length of time in microseconds; raises ValueError that says how lengths are written."""
    found = _LENGTH.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text}' is no length of time; write 30s, 15min, 12h, 30d or 2w")
    unit = next(seconds for short, (word, seconds) in _UNITS.items() if found[2] in (short, word, f"{word}s"))
    if not int(found[1]):
        raise ValueError("a length of time must be more than nothing")
    return int(found[1]) * unit * SECOND


def length_words(length: int) -> str:
    """A length in words, in the largest unit up to days that divides it: `30 days`."""
    for word, seconds in reversed(_UNITS.values()):
        if word != "week" and length % (seconds * SECOND) == 0:
            amount = length // (seconds * SECOND)
            return f"{amount:,} {word}{'' if amount == 1 else 's'}"
    return f"{length / SECOND:g} seconds"


def moment_us(text: str) -> int:
    """A date or a date with time as microseconds since 1970; UTC where no zone is given."""
    found = _MOMENT.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        plain = re.sub(r"\s+(?=[Z+-])", "", text.strip())
        moment = datetime.fromisoformat(plain)
    except ValueError:
        message = f"'{text}' is no moment; write 2026-01-31 or 2026-01-31T09:00:00Z"
        raise ValueError(message) from None
    return datetime_us(moment)


def is_moment(value: object) -> bool:
    """Whether a value is a text that says a moment."""
    if not isinstance(value, str):
        return False
    try:
        moment_us(value)
    except ValueError:
        return False
    return True


def datetime_us(moment: datetime) -> int:
    """A moment as microseconds since 1970; one without a zone is in UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)


def us_words(moment: int) -> str:
    """A moment in words: a date, with the time of day unless it is midnight."""
    try:
        found = _EPOCH + timedelta(microseconds=moment)
    except OverflowError:
        return f"{moment / SECOND:g} seconds after 1970"
    midnight = found.time() == datetime.min.time()
    return found.date().isoformat() if midnight else f"{found:%Y-%m-%d %H:%M:%S} UTC"


def count_of(text: str) -> tuple[str, int]:
    """`>= 3` as its parts; a number alone means exactly so many."""
    found = _COUNT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text}' is no count; write '>= 3', '= 0', '< 2' or a whole number")
    return (found[1] or "=").replace("==", "="), int(found[2])


def compared_length(text: str) -> tuple[str, int]:
    """`>= 7d` as its parts; a length alone means at least so long."""
    found = _COMPARED.fullmatch(text.strip())
    if found is None:
        raise ValueError("a length of time is missing; write '>= 7d' or '< 30d'")
    return found[1] or ">=", length_us(found[2])


def compared_days(text: str) -> tuple[str, int]:
    """`>= 7d` as its parts, in whole days."""
    comparison, length = compared_length(text)
    days, rest = divmod(length, 86_400 * SECOND)
    if rest:
        raise ValueError(f"'{text}' is no whole number of days, and a model looks at days")
    return comparison, days


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return str(value) if isinstance(value, int) else value


def _moment_text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value


def _checked(check: Any) -> AfterValidator:
    def run(text: str) -> str:
        check(text)
        return text

    return AfterValidator(run)


Length = Annotated[str, BeforeValidator(_text), _checked(length_us)]
Moment = Annotated[str, BeforeValidator(_moment_text), _checked(moment_us)]
ComparedLength = Annotated[str, _checked(compared_length)]
Count = Annotated[
    str,
    BeforeValidator(_text),
    _checked(count_of),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]}),
]
