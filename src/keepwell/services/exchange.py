"""What became of amounts in other currencies on a date: the rates that were used, and the ones that are missing."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from keepwell.metrics.attributes import Attributes, Population
from keepwell.metrics.frame import day_number
from keepwell.model.words import counted
from keepwell.warehouse.rates import Rates

STALE_AFTER_DAYS: Final = 35
"""Whoever keeps dated rates adds to them every month at least."""
ABOUT: Final = "keepwell.exchange"


@dataclass(frozen=True)
class Exchange:
    """The currencies of a date's customers, how many have each, and the rates of that date."""

    rates: Rates
    day: int
    customers: Mapping[str, int]

    def about(self) -> dict[str, str]:
        """What is written beside the rows of the date."""
        used = {code: self.rates.on(code, self.day) for code in sorted(self.customers)}
        return {ABOUT: json.dumps({"currency": self.rates.currency, "rates": used})}

    def warnings(self) -> Iterator[str]:
        """Currencies without a rate, and rates that nobody has added to for long."""
        lost = {code: n for code, n in sorted(self.customers.items()) if self.rates.on(code, self.day) is None}
        if lost:
            named = ", ".join(f"{code} ({counted(n, 'customer')})" for code, n in lost.items())
            yield f"no exchange rate for {named}: their amounts are unknown; add it to [rates] or rates.csv"
        for code in sorted(self.customers):
            since = self.rates.since(code, self.day)
            if since is not None and self.day - day_number(since) > STALE_AFTER_DAYS:
                yield f"rates.csv: the rate of {code} is of {since}; add newer ones"


def exchange_of(attributes: Attributes, population: Population, day: int) -> Exchange | None:
    """The exchange of one date's customers; None where amounts are taken as they are."""
    rates = attributes.warehouse.rates
    if rates is None:
        return None
    currency = attributes.column("currency", population)
    codes = Counter(currency.values[currency.known].astype(int).tolist())
    customers: Counter[str] = Counter()
    for code, number in codes.items():
        customers[currency.texts[code].strip().upper()] += number
    return Exchange(rates, day, customers)


def outdated(about: Mapping[str, str], as_of: date, rates: Rates | None) -> bool:
    """Whether a date was computed with other rates, or into another currency, than it would be now."""
    kept: dict[str, Any] | None = json.loads(about.get(ABOUT, "null"))
    if kept is None or rates is None:
        return (kept is None) != (rates is None)
    day = day_number(as_of)
    return kept["currency"] != rates.currency or any(
        rates.on(code, day) != rate for code, rate in kept["rates"].items()
    )
