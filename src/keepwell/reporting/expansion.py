"""Who could grow: expansion signals with value, period, urgency and what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from keepwell.evaluation.compiled import compile_model
from keepwell.evaluation.model_run import evaluate_model
from keepwell.model.definitions import Model, Signal
from keepwell.model.loader import LoadedModel
from keepwell.reporting.frames import rows_of_day, snapshot_frame
from keepwell.reporting.plain import Plain
from keepwell.reporting.reading import Day
from keepwell.reporting.reasons import Reasons
from keepwell.reporting.scores import at_risk
from keepwell.warehouse.snapshots import Snapshots

TOP: Final = 15
PER_YEAR: Final = {"once": 1.0, "month": 12.0, "year": 1.0}
URGENCIES: Final = ("HIGH", "MEDIUM", "LOW", "")
WORDS: Final = ("expansion", "upsell", "upgrade")
NO_VALUE: Final = "the model puts no amount on it"


@dataclass(frozen=True)
class Expansion(Plain):
    """One reason to talk to one customer about more. `yearly` is the value in a year, to rank by."""

    customer_id: str
    name: str
    owner: str
    plan: str
    arr: float | None
    signal: str
    label: str
    value: float | None
    value_period: str
    yearly: float | None
    why_no_value: str
    urgency: str
    reason: str
    action: str
    renewal_date: date | None
    at_risk: bool


@dataclass(frozen=True)
class Expansions(Plain):
    """The top of the expansion list; `customers`, `signals` and `yearly` are of the whole of it."""

    customers: int
    signals: int
    yearly: float
    top: tuple[Expansion, ...]


def expansion_list(
    snapshots: Snapshots, loaded: LoadedModel, day: Day, *, limit: int | None = TOP, currency: str = "USD"
) -> Expansions:
    """Every expansion signal that is on, by value in a year; segments named for it where the model has no such signal.

    A customer can be on the list and at risk at once: that is marked, since the order of the conversations matters.
    """
    present = day.present()
    found = list(_Found(snapshots, loaded, present, currency).all())
    found.sort(
        key=lambda e: (-(e.yearly or 0.0), e.at_risk, URGENCIES.index(e.urgency), -(e.arr or 0.0), e.customer_id)
    )
    yearly = round(sum(e.yearly or 0.0 for e in found), 2)
    return Expansions(len({e.customer_id for e in found}), len(found), yearly, tuple(found[:limit]))


def expansion_segments(model: Model) -> tuple[str, ...]:
    """Segments that are about growth, by their names and actions; only for models without expansion signals."""
    if any(signal.kind == "expansion" for signal in model.signals.values()):
        return ()
    texts = {name: f"{name} {segment.action}".lower() for name, segment in model.segments.items()}
    return tuple(name for name, text in texts.items() if any(word in text for word in WORDS))


class _Found:
    def __init__(self, snapshots: Snapshots, loaded: LoadedModel, present: Day, currency: str) -> None:
        self.snapshots, self.loaded, self.day, self.currency = snapshots, loaded, present, currency
        self.model = loaded.model
        self.risky, _ = at_risk(loaded, present)
        self.arr = present.number("arr")
        self.renewals = present.dates("renewal_date")

    def all(self) -> Iterator[Expansion]:
        """Every signal of every customer, then segments."""
        signals = {n: s for n, s in self.model.signals.items() if s.kind == "expansion"}
        on = [[name for name in names if name in signals] for names in self.day.lists("signals")]
        rows = [row for row, names in enumerate(on) if names]
        if rows:
            compiled = compile_model(self.loaded)
            frame = snapshot_frame(self.snapshots, compiled, self.day, [str(self.day.ids[row]) for row in rows])
            reasons = Reasons(self.model, evaluate_model(compiled, frame), self.currency)
            places = rows_of_day(frame, self.day)
            for row in rows:
                for name in on[row]:
                    yield self._signal(row, name, signals[name], reasons.signal(name, places[str(self.day.ids[row])]))
        yield from self._segments()

    def _signal(self, row: int, name: str, signal: Signal, reason: str) -> Expansion:
        column = self.day.number(f"signal_value.{name}")
        value = None if np.isnan(column[row]) else float(column[row])
        return Expansion(
            **self._customer(row),
            signal=name,
            label=signal.label or name,
            value=value,
            value_period=signal.value_period,
            yearly=None if value is None else value * PER_YEAR[signal.value_period],
            why_no_value="" if value is not None else "its value is unknown" if signal.value else NO_VALUE,
            urgency=signal.urgency or "",
            reason=reason,
            action=signal.action,
        )

    def _segments(self) -> Iterator[Expansion]:
        chosen = expansion_segments(self.model)
        for row, name in enumerate(self.day.text("segment").tolist()):
            if name in chosen:
                segment = self.model.segments[name]
                yield Expansion(
                    **self._customer(row),
                    signal=name,
                    label=segment.label or name,
                    value=None,
                    value_period="year",
                    yearly=None,
                    why_no_value=NO_VALUE,
                    urgency="",
                    reason=segment.description,
                    action=segment.action,
                )

    def _customer(self, row: int) -> dict[str, Any]:
        columns = {"name": "name", "owner": "owner_email", "plan": "plan"}
        said = {key: str(self.day.text(column)[row] or "") for key, column in columns.items()}
        arr = None if np.isnan(self.arr[row]) else float(self.arr[row])
        more = {"arr": arr, "renewal_date": self.renewals[row], "at_risk": bool(self.risky[row])}
        return {"customer_id": str(self.day.ids[row]), **said, **more}
