"""Who to worry about first, with the reasons and the money at stake."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from keepwell.evaluation.compiled import CompiledModel, compile_model
from keepwell.evaluation.explain import explain_row
from keepwell.evaluation.model_run import evaluate_model
from keepwell.metrics.frame import Floats
from keepwell.model.loader import LoadedModel
from keepwell.reporting.frames import rows_of_day, snapshot_frame
from keepwell.reporting.groups import grouping
from keepwell.reporting.plain import Plain
from keepwell.reporting.reading import Day
from keepwell.reporting.reasons import Reasons
from keepwell.reporting.scores import at_risk
from keepwell.segments.membership import primary_dimension
from keepwell.warehouse.snapshots import Snapshots

TOP: Final = 15
SEVERITIES: Final = {"critical": 1.0, "high": 0.8, "medium": 0.5, "low": 0.2, "info": 0.1}
COLORS: Final = {"red": 1.0, "orange": 0.6, "yellow": 0.3}
FLOOR: Final = 0.05


@dataclass(frozen=True)
class Risk(Plain):
    """One customer at risk. `weight` (0 to 1) says how worrying it is; customers are ranked by weight times ARR."""

    customer_id: str
    name: str
    owner: str
    arr: float | None
    weight: float
    score: int | None
    band: str
    segment: str
    renewal_date: date | None
    days_to_renewal: int | None
    signals: tuple[str, ...]
    reasons: tuple[str, ...]
    action: str


@dataclass(frozen=True)
class Risks(Plain):
    """The top of the customers at risk; `customers` and `arr` are of all of them."""

    customers: int
    arr: float
    rule: str
    ranked_by: str
    top: tuple[Risk, ...]


def top_risks(snapshots: Snapshots, loaded: LoadedModel, day: Day, *, limit: int = TOP, currency: str = "USD") -> Risks:
    """The customers at risk with most to lose; who is at risk is said by `rule`."""
    present = day.present()
    risky, rule = at_risk(loaded, present)
    weights, how = _weights(loaded, present)
    arr = np.nan_to_num(present.number("arr"))
    rows = np.flatnonzero(risky)
    order = sorted(rows.tolist(), key=lambda row: (-weights[row] * arr[row], -weights[row], present.ids[row]))[:limit]
    top = _explained(snapshots, loaded, present, order, weights, currency) if order else ()
    return Risks(len(rows), round(float(arr[rows].sum()), 2), rule, how, top)


def _weights(loaded: LoadedModel, present: Day) -> tuple[Floats, str]:
    compiled = compile_model(loaded)
    risk, health = compiled.churn_risk(), compiled.health()
    if risk is not None:
        return np.nan_to_num(present.number(f"{risk}_score")) / 100, "ARR × churn risk"
    if health is not None:
        return 1 - np.nan_to_num(present.number(f"{health}_score"), nan=50.0) / 100, "ARR × lost health"
    kinds = {n: SEVERITIES[s.severity] for n, s in loaded.model.signals.items() if s.kind != "expansion"}
    colors = {n: COLORS.get(s.color, 0.0) for n, s in loaded.model.segments.items()}
    weights = [
        max([FLOOR, *(kinds.get(s, 0.0) for s in signals), *(colors.get(s, 0.0) for s in segments)])
        for signals, segments in zip(present.lists("signals"), present.lists("segments"), strict=True)
    ]
    return np.array(weights), "ARR × severity of the worst segment or signal"


def _explained(
    snapshots: Snapshots, loaded: LoadedModel, present: Day, order: Sequence[int], weights: Floats, currency: str
) -> tuple[Risk, ...]:
    compiled = compile_model(loaded)
    frame = snapshot_frame(snapshots, compiled, present, [str(present.ids[row]) for row in order])
    evaluation = evaluate_model(compiled, frame, lean=False)
    reasons, places = Reasons(loaded.model, evaluation, currency), rows_of_day(frame, present)
    supplied = frozenset(name for name, metric in compiled.metrics().items() if metric.expr is None)
    shown = _Shown(loaded, compiled, present)
    found = []
    for row in order:
        place = places[str(present.ids[row])]
        explanation = explain_row(evaluation, place, supplied=supplied)
        found.append(shown.risk(row, float(weights[row]), reasons.of(explanation, place)))
    return tuple(found)


class _Shown:
    """What is said of a customer besides the reasons."""

    def __init__(self, loaded: LoadedModel, compiled: CompiledModel, present: Day) -> None:
        self.model, self.day = loaded.model, present
        self.health = compiled.health()
        self.renewals = present.dates("renewal_date")
        self.signals = present.lists("signals")
        dimensions = self.model.segments.values()
        self.groups = grouping(loaded, primary_dimension(dimensions), (present,)) if dimensions else None

    def risk(self, row: int, weight: float, reasons: tuple[str, ...]) -> Risk:
        day, renewal = self.day, self.renewals[row]
        score, arr = day.number(f"{self.health}_score")[row], day.number("arr")[row]
        segment = str(day.text("segment")[row] or "")
        on = tuple(name for name in self.signals[row] if self._kind(name) != "expansion")
        return Risk(
            customer_id=str(day.ids[row]),
            name=str(day.text("name")[row] or ""),
            owner=str(day.text("owner_email")[row] or ""),
            arr=None if np.isnan(arr) else float(arr),
            weight=weight,
            score=None if np.isnan(score) else int(score),
            band=str(day.text(f"{self.health}_band")[row] or ""),
            segment=self.groups.group(segment).label if self.groups else segment,
            renewal_date=renewal,
            days_to_renewal=None if renewal is None else (renewal - day.as_of).days,
            signals=on,
            reasons=reasons,
            action=self._action(segment, on),
        )

    def _kind(self, name: str) -> str:
        return self.model.signals[name].kind if name in self.model.signals else ""

    def _action(self, segment: str, on: tuple[str, ...]) -> str:
        """What the worst signal says to do, else the segment."""
        signals = [self.model.signals[name] for name in on if self.model.signals[name].action]
        worst = max(signals, key=lambda signal: SEVERITIES[signal.severity], default=None)
        definition = self.model.segments.get(segment)
        own = definition.action if definition is not None and definition.color in COLORS else ""
        return own or (worst.action if worst is not None else "")
