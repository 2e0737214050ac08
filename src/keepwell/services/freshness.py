"""How old the data behind a published date are, held against the limits of its model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from keepwell.metrics.feeds import STALE_AFTER_DAYS, STALE_AFTER_DAYS_FACTS
from keepwell.model.definitions import Model
from keepwell.warehouse.tables import TABLES


@dataclass(frozen=True)
class FeedAge:
    """One table's feed on a date: the last day it covers (None: never delivered) and after how many it is stale."""

    table: str
    until: date | None
    age: int | None
    limit: int
    used: bool

    @property
    def state(self) -> str:
        """fresh, stale or absent."""
        if self.age is None:
            return "absent"
        return "stale" if self.age > self.limit else "fresh"


def feed_ages(model: Model, as_of: date, about: Mapping[str, str]) -> tuple[FeedAge, ...]:
    """The age of every canonical table's feed, from what a snapshot says about itself."""
    found: dict[str, str | None] = json.loads(about.get("keepwell.freshness", "{}"))
    used = {metric.table for metric in model.metrics.values()} | {"customers"}
    ages = []
    for name, table in TABLES.items():
        text = found.get(name)
        until = None if text is None else date.fromisoformat(text)
        default = STALE_AFTER_DAYS_FACTS if table.facts else STALE_AFTER_DAYS
        limit = model.settings.stale_after_days.get(name, default)
        ages.append(FeedAge(name, until, None if until is None else (as_of - until).days, limit, name in used))
    return tuple(ages)


def stale_feeds(ages: tuple[FeedAge, ...]) -> tuple[FeedAge, ...]:
    """The feeds that the model uses, that were there once, and that are out of date."""
    return tuple(age for age in ages if age.used and age.state == "stale")
