"""Values of foreign payloads as the canonical tables hold them; what does not fit is None, never an error."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from keepwell.warehouse.tables import Column, Kind

_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2199
_MILLISECONDS: Final = 100_000_000_000
"""From here on a number of seconds would be after the year 5000: it counts milliseconds."""

_LARGEST: Final = {Kind.INTEGER: 10**15, Kind.MONEY: 10**14, Kind.NUMBER: 10**11}
_BROKEN: Final = re.compile("[\x00\ud800-\udfff]")


def mapping(value: Any) -> dict[str, Any]:
    """An object of a payload; an empty one for everything else."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str | None:
    """A text without blanks at its ends, or a number as text; None for everything else and for nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return sound(str(value)).strip() or None


def sound(value: str) -> str:
    """A text without what no database holds: NUL, and halves of characters."""
    return _BROKEN.sub("\ufffd", value)


def sound_tree(value: Any) -> Any:
    """A JSON value, all of whose texts are sound."""
    if isinstance(value, str):
        return sound(value)
    if isinstance(value, dict):
        return {sound(str(name)): sound_tree(item) for name, item in value.items()}
    return [sound_tree(item) for item in value] if isinstance(value, list) else value


def number(value: Any, kind: Kind = Kind.NUMBER) -> int | float | None:
    """A finite number of a size that the kind of column holds; texts of digits count."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST[kind]:
        return None
    if kind is Kind.INTEGER:
        return int(value) if value == math.floor(value) else None
    return value


def moment(value: Any) -> datetime | None:
    """A moment in UTC: ISO 8601 (in UTC when it names no zone), or seconds or milliseconds since 1970."""
    try:
        found = _moment(value)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found is not None and _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        found = datetime.fromisoformat(value.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return datetime.fromtimestamp(value / 1000 if abs(value) >= _MILLISECONDS else value, UTC)


def iso(value: datetime | None) -> str | None:
    """A moment as files hold it."""
    return value.isoformat() if value is not None else None


def cell(column: Column, value: Any) -> str | int | float | bool | None:
    """A value as a column holds it; None when it does not."""
    if column.values:
        word = re.sub(r"[\s-]+", "_", str(text(value) or "").lower())
        return next((one for one in column.values if one.lower() == word), None)
    found = _cell(column, value)
    if isinstance(found, int | float) and not isinstance(found, bool):
        low, high = column.minimum, column.maximum
        return None if (low is not None and found < low) or (high is not None and found > high) else found
    return found


def _cell(column: Column, value: Any) -> str | int | float | bool | None:
    if column.kind in _LARGEST:
        return number(value, column.kind)
    if column.kind is Kind.BOOLEAN:
        words = {"true": True, "false": False}
        return value if isinstance(value, bool) else words.get(value.lower()) if isinstance(value, str) else None
    if column.kind in (Kind.DATE, Kind.TIME):
        found = moment(value)
        return None if found is None else found.date().isoformat() if column.kind is Kind.DATE else found.isoformat()
    return text(value) if column.kind is Kind.TEXT else None


def first(values: Mapping[str, Any], *names: str) -> str | None:
    """The first of some texts that is there."""
    return next((found for name in names if (found := text(values.get(name))) is not None), None)


_ZERO_DECIMAL: Final = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"}
)
_THREE_DECIMALS: Final = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})


def major_units(minor: Any, currency: Any) -> str | None:
    """An amount in the smallest units of a currency as money; None for what is no whole number."""
    if isinstance(minor, bool) or not isinstance(minor, int) or abs(minor) >= _LARGEST[Kind.INTEGER]:
        return None
    code = str(currency).lower()
    decimals = 0 if code in _ZERO_DECIMAL else 3 if code in _THREE_DECIMALS else 2
    return str(round(Decimal(minor).scaleb(-decimals), 2))
