"""Dates and times from text: ISO 8601 at once, other formats only when a mapping or the whole column decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import duckdb

from keepwell.warehouse.sql import literal

ISO_PATTERN: Final = r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( UTC|[Zz]|[+-]\d{2}(:?\d{2})?)?)?"
DAY_FIRST_DOT: Final = "DD.MM.YYYY"
DAY_FIRST: Final = "DD/MM/YYYY"
MONTH_FIRST: Final = "MM/DD/YYYY"
EPOCHS: Final = MappingProxyType({"epoch": 1_000_000, "epoch_s": 1_000_000, "epoch_ms": 1_000})

_CLOCKS: Final = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", ", %H:%M", ", %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_PATTERNS: Final = MappingProxyType({DAY_FIRST_DOT: "%d.%m.%Y", DAY_FIRST: "%d/%m/%Y", MONTH_FIRST: "%m/%d/%Y"})
_NO_DATE: Final = "is no date or time; write 2026-01-31 or 2026-01-31T09:30:00Z, or name its format in a mapping"


@dataclass(frozen=True)
class DateChoice:
    """How the dates of a column that are not ISO 8601 are read, and why one that cannot be read is not."""

    format: str | None = None
    reason: str = _NO_DATE


def known_format(text: str) -> bool:
    """Whether a mapping may name this format."""
    return text == "iso" or text in EPOCHS or text in _PATTERNS or "%" in text


def format_names() -> list[str]:
    """The formats that have a name."""
    return ["iso", *_PATTERNS, *EPOCHS]


def time_sql(text: str, *, zone: str, format: str | None) -> str:
    """A UTC timestamp from a text expression; NULL when it cannot be read. Times without zone are in `zone`."""
    if format is not None and format in EPOCHS:
        micros = f"TRY_CAST(TRY_CAST({text} AS DECIMAL(38,6)) * {EPOCHS[format]} AS BIGINT)"
        return f"CASE WHEN abs({micros}) < 8e15 THEN make_timestamp({micros}) END"
    if format is not None and format != "iso":
        return _formatted(text, zone, format)
    return _iso(text, zone)


def mixed_sql(text: str, *, zone: str, choice: DateChoice) -> str:
    """ISO 8601, and the format chosen for the column besides."""
    if choice.format is None:
        return _iso(text, zone)
    return f"coalesce({_iso(text, zone)}, {_formatted(text, zone, choice.format)})"


def to_utc(naive: str, zone: str) -> str:
    """A naive local timestamp as naive UTC."""
    return naive if zone == "UTC" else f"timezone('UTC', timezone({literal(zone)}, {naive}))"


def local_day(utc: str, zone: str) -> str:
    """The day in `zone` of a naive UTC timestamp."""
    return (
        f"CAST({utc} AS DATE)" if zone == "UTC" else f"CAST(timezone({literal(zone)}, timezone('UTC', {utc})) AS DATE)"
    )


def choose_formats(
    connection: duckdb.DuckDBPyConnection, relation: str, texts: Mapping[str, str]
) -> dict[str, DateChoice]:
    """Look at whole columns; `texts` gives a text expression each. Columns that are ISO 8601 all over are left out."""
    odd = _not_iso(connection, relation, texts)
    if not odd:
        return {}
    counts = ", ".join(c for column in odd for c in _counts(texts[column]))
    found = connection.execute(f"SELECT {counts} FROM {relation}").fetchone() or ()  # noqa: S608
    return {column: _choice(*found[6 * i : 6 * i + 6]) for i, column in enumerate(odd)}


def _not_iso(connection: duckdb.DuckDBPyConnection, relation: str, texts: Mapping[str, str]) -> list[str]:
    """The columns with texts that are no ISO 8601; most files have none, so this saves them the closer look."""
    if not texts:
        return []
    tests = ", ".join(f"bool_and(regexp_full_match({text}, {literal(ISO_PATTERN)}))" for text in texts.values())
    found = connection.execute(f"SELECT {tests} FROM {relation}").fetchone() or ()  # noqa: S608
    return [column for column, iso in zip(texts, found, strict=True) if iso is False]


def _counts(text: str) -> list[str]:
    first = f"TRY_CAST(regexp_extract({text}, '^\\d+') AS INTEGER)"
    second = f"TRY_CAST(regexp_extract({text}, '^\\d+/(\\d+)', 1) AS INTEGER)"
    slash = f"regexp_matches({text}, '^\\d{{1,2}}/\\d{{1,2}}/\\d{{4}}')"
    return [
        f"count({text})",
        f"count(*) FILTER (WHERE regexp_full_match({text}, {literal(ISO_PATTERN)}))",
        f"count(*) FILTER (WHERE regexp_matches({text}, '^\\d{{1,2}}\\.\\d{{1,2}}\\.\\d{{4}}'))",
        f"count(*) FILTER (WHERE {slash})",
        f"count(*) FILTER (WHERE {slash} AND {first} > 12)",
        f"count(*) FILTER (WHERE {slash} AND {second} > 12)",
    ]


def _choice(total: int, iso: int, dot: int, slash: int, day_first: int, month_first: int) -> DateChoice:
    if total == iso or not (dot or slash):
        return DateChoice()
    present = [
        name for name, n in (("YYYY-MM-DD", iso), (DAY_FIRST_DOT, dot), (f"{DAY_FIRST} or {MONTH_FIRST}", slash)) if n
    ]
    if len(present) > 1:
        mixed = ", ".join(present)
        return DateChoice(None, f"the column mixes date formats ({mixed}); write all as YYYY-MM-DD or use a mapping")
    if dot:
        return DateChoice(DAY_FIRST_DOT)
    if bool(day_first) != bool(month_first):
        return DateChoice(DAY_FIRST if day_first else MONTH_FIRST)
    return DateChoice(
        None,
        f"could be {DAY_FIRST} or {MONTH_FIRST}, the column's values do not decide; name the `format` in a mapping",
    )


def _iso(text: str, zone: str) -> str:
    shape = f"regexp_full_match({text}, {literal(ISO_PATTERN)})"
    zoned = f"timezone('UTC', TRY_CAST(replace(upper({text}), ' UTC', 'Z') AS TIMESTAMPTZ))"
    if zone == "UTC":
        return f"CASE WHEN {shape} THEN {zoned} END"
    has_zone = f"regexp_matches(substr({text}, 11), '[Zz+-]|UTC$')"
    naive = to_utc(f"TRY_CAST({text} AS TIMESTAMP)", zone)
    return f"CASE WHEN NOT {shape} THEN NULL WHEN {has_zone} THEN {zoned} ELSE {naive} END"


def _formatted(text: str, zone: str, format: str) -> str:
    if format in _PATTERNS:
        patterns = ", ".join(literal(_PATTERNS[format] + clock) for clock in _CLOCKS)
        return to_utc(f"try_strptime({text}, [{patterns}])", zone)
    parsed = f"try_strptime({text}, {literal(format)})"
    return f"timezone('UTC', {parsed})" if "%z" in format.lower() else to_utc(parsed, zone)
