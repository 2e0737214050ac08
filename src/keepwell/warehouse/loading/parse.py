"""From a cell's text to a column's value, and what can be wrong with it on the way."""

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from keepwell.warehouse.loading.dates import DateChoice, local_day, mixed_sql, time_sql, to_utc
from keepwell.warehouse.sql import literal
from keepwell.warehouse.tables import Column, Kind

YES: Final = ("true", "t", "yes", "y", "1")
BLANKS: Final = " \t\r\n\u00a0"
NO: Final = ("false", "f", "no", "n", "0")
FIRST_MOMENT: Final = "TIMESTAMP '1900-01-01'"
LAST_MOMENT: Final = "TIMESTAMP '2200-01-01'"
LONGEST_KEY: Final = 255
_LONG: Final = f"has more than {LONGEST_KEY} characters"
# The workspace's database keeps these beside what it knows of a customer, and has no room for more.
_KEPT_ELSEWHERE: Final = ("customer_id", "person_id", "ticket_id", "owner_email")

_FORMS: Final = MappingProxyType(
    {
        None: "; if the file writes 1.234,56 or 1,234.56 say so with `decimal` in a mapping",
        "comma": " in the form 1.234,56",
        "point": " in the form 1,234.56",
    }
)
_COMMA: Final = r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?"
_POINT: Final = r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?"


@dataclass(frozen=True)
class Cell:
    """Where a column's value comes from: an expression over the file's columns, its type, and how to read it.

    A value that was looked up in a file has in `given` the text that it was looked up by, and in `source` that file.
    """

    sql: str
    type: str = "VARCHAR"
    format: str | None = None
    zone: str | None = None
    decimal: str | None = None
    cast: str | None = None
    given: str | None = None
    source: str | None = None

    @property
    def is_moment(self) -> bool:
        """Whether the file itself says that this is a date or time."""
        return self.type.startswith(("TIMESTAMP", "DATE"))


@dataclass(frozen=True)
class Check:
    """A condition over the parsed row that makes it bad."""

    condition: str
    column: str
    code: str
    reason: str


def text_sql(cell: Cell) -> str:
    """The cell as trimmed text; NULL when empty."""
    if cell.type in ("FLOAT", "DOUBLE"):
        # An integer column with gaps arrives as floats from many tools: 12.0 means the key 12.
        whole = f"{cell.sql} = trunc({cell.sql}) AND abs({cell.sql}) < 1e15"
        number = (
            f"CASE WHEN {whole} THEN CAST(CAST({cell.sql} AS BIGINT) AS VARCHAR) ELSE CAST({cell.sql} AS VARCHAR) END"
        )
        return f"CASE WHEN NOT isnan({cell.sql}) THEN {number} END"
    nested = cell.type.startswith(("STRUCT", "MAP")) or cell.type.endswith("]")
    text = f"CAST({'to_json(' + cell.sql + ')' if nested else cell.sql} AS VARCHAR)"
    return f"nullif(trim({text}, {literal(BLANKS)}), '')"


def value_sql(column: Column, cell: Cell, *, text: str, zone: str, choice: DateChoice) -> str:
    """The value of a column, NULL when the cell is empty or cannot be read; `text` is the trimmed cell."""
    if cell.cast is not None and column.kind is Kind.TEXT:
        inner = replace(column, kind=Kind(cell.cast), values=())
        text = f"CAST({value_sql(inner, replace(cell, cast=None), text=text, zone=zone, choice=choice)} AS VARCHAR)"
    if column.kind in (Kind.TIME, Kind.DATE):
        return _moment(column, cell, text, cell.zone or zone, choice)
    if column.kind is Kind.BOOLEAN:
        yes, no = (", ".join(literal(w) for w in words) for words in (YES, NO))
        return f"CASE WHEN lower({text}) IN ({yes}) THEN true WHEN lower({text}) IN ({no}) THEN false END"
    if column.kind is Kind.JSON:
        return f"CASE WHEN json_valid({text}) AND left({text}, 1) = '{{' THEN CAST(json({text}) AS VARCHAR) END"
    if column.kind is Kind.TEXT:
        return _enumeration(column, text) if column.values else text
    return _number(column, cell, text)


def checks(column: Column, *, text: str, value: str, choice: DateChoice, cell: Cell) -> list[Check]:
    """Everything that can be wrong with a column's cell, the most basic first."""
    found = []
    if column.required:
        found.append(Check(f"{text} IS NULL", column.name, "required", "is required, but empty or missing"))
    if column.kind is Kind.TEXT and column.name in _KEPT_ELSEWHERE:
        found.append(Check(f"length({text}) > {LONGEST_KEY}", column.name, "long", _LONG))
    if cell.cast is not None and column.kind is Kind.TEXT and not column.values:
        found.append(_invalid(column, text, value, _expected(replace(column, kind=Kind(cell.cast)), cell)))
    if column.kind is not Kind.TEXT or column.values:
        reason = choice.reason if column.kind in (Kind.TIME, Kind.DATE) else _expected(column, cell)
        found.append(_invalid(column, text, value, reason))
    if column.kind in (Kind.TIME, Kind.DATE):
        outside = f"NOT ({value} >= {FIRST_MOMENT} AND {value} < {LAST_MOMENT})"
        found.append(Check(outside, column.name, "range", "is outside the years 1900 to 2199"))
    return found + _ranges(column, value)


def _invalid(column: Column, text: str, value: str, reason: str) -> Check:
    return Check(f"{text} IS NOT NULL AND {value} IS NULL", column.name, "invalid", reason)


def _ranges(column: Column, value: str) -> list[Check]:
    found = []
    if column.minimum is not None:
        found.append(Check(f"{value} < {column.minimum}", column.name, "range", f"must be at least {column.minimum:g}"))
    if column.maximum is not None:
        found.append(Check(f"{value} > {column.maximum}", column.name, "range", f"must be at most {column.maximum:g}"))
    return found


def _moment(column: Column, cell: Cell, text: str, zone: str, choice: DateChoice) -> str:
    is_date = column.kind is Kind.DATE
    if cell.type.startswith("TIMESTAMP WITH TIME ZONE"):
        utc = f"timezone('UTC', {cell.sql})"
        return local_day(utc, zone) if is_date else utc
    if cell.is_moment:
        return f"CAST({cell.sql} AS DATE)" if is_date else to_utc(f"CAST({cell.sql} AS TIMESTAMP)", zone)
    utc = time_sql(text, zone=zone, format=cell.format) if cell.format else mixed_sql(text, zone=zone, choice=choice)
    return local_day(utc, zone) if is_date else utc


def _enumeration(column: Column, text: str) -> str:
    words = ", ".join(literal(v) for v in column.values)
    folded = ", ".join(literal(v.lower()) for v in column.values)
    return f"([{words}])[list_position([{folded}], replace(replace(lower({text}), ' ', '_'), '-', '_'))]"


def _number(column: Column, cell: Cell, text: str) -> str:
    plain = f"CASE WHEN NOT contains({text}, '_') THEN {text} END"
    if cell.decimal == "comma":
        shape = f"regexp_full_match({text}, {literal(_COMMA)})"
        plain = f"CASE WHEN {shape} THEN replace(replace({text}, '.', ''), ',', '.') END"
    elif cell.decimal == "point":
        plain = f"CASE WHEN regexp_full_match({text}, {literal(_POINT)}) THEN replace({text}, ',', '') END"
    if column.kind is not Kind.INTEGER:
        return f"TRY_CAST({plain} AS {column.sql_type})"
    number = f"TRY_CAST({plain} AS DECIMAL(38,6))"
    return f"CASE WHEN {number} = trunc({number}) THEN TRY_CAST({number} AS BIGINT) END"


def _expected(column: Column, cell: Cell) -> str:
    if column.values:
        return f"must be one of: {', '.join(column.values)}"
    hint = _FORMS[cell.decimal]
    return {
        Kind.INTEGER: "is no whole number",
        Kind.NUMBER: f"is no number{hint}",
        Kind.MONEY: f"is no amount of money{hint}",
        Kind.BOOLEAN: "is neither true nor false (true, false, yes, no, 1, 0)",
        Kind.JSON: "is no JSON object",
        Kind.DATE: DateChoice().reason,
        Kind.TIME: DateChoice().reason,
        Kind.TEXT: "is no text",
    }[column.kind]
