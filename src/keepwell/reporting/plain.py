"""Figures as plain data: what every table of this room can be turned into for JSON and CSV."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from typing import Any

import numpy as np

__all__ = ["Figure", "Plain", "plain", "table"]


class Plain:
    """A frozen dataclass of figures that can say itself as plain data."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON: dates as texts, no nan."""
        data: dict[str, Any] = plain(self)
        return data


@dataclass(frozen=True)
class Figure(Plain):
    """One number, or None and why there is none; `n` is how many customers or rows it rests on."""

    value: float | None
    why: str = ""
    n: int = 0


def plain(value: Any) -> Any:
    """Dataclasses, arrays and dates as dicts, lists and texts; a number that is not one becomes None."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, date) else value


def table(items: Iterable[Plain]) -> list[dict[str, Any]]:
    """Rows for CSV or a table: nested figures are named with a dot (`nrr.value`), lists stay lists."""
    return [dict(_flat("", item.as_dict())) for item in items]


def _flat(prefix: str, data: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _flat(f"{name}.", value)
        else:
            yield name, value
