"""Published customers, signals and metric values as plain rows: the shapes that JSON, CSV and tables share."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, Final

from keepwell.evaluation.compiled import compile_model
from keepwell.metrics.frame import UNKNOWN_FROM, Quality
from keepwell.model.definitions import Signal
from keepwell.model.score_definitions import Score
from keepwell.services.placeholders import filled
from keepwell.services.reading import Published, Row
from keepwell.services.snapshot_frames import quality_code
from keepwell.services.snapshot_rows import ATTRIBUTES

_PLAIN: Final = ("status", "churned_on", *(name for name, _ in ATTRIBUTES if name != "name"), "mrr", "arr")
SIGNAL_COLUMNS: Final = (
    "customer_id",
    "as_of",
    "name",
    "owner_email",
    "mrr",
    "segment",
    "signal",
    "label",
    "kind",
    "severity",
    "value",
    "value_period",
    "action",
    "reason",
)
SEVERITIES: Final = ("critical", "high", "medium", "low", "info")


def customers_listed(published: Published) -> list[dict[str, Any]]:
    """One object per customer: attributes, scores, segments and signals; `health` is None without a score."""
    columns = [name for name in published.columns if not name.startswith(("m.", "q."))]
    compiled = compile_model(published.model)
    scores, named = compiled.model.scores, (compiled.health(), compiled.churn_risk())
    return [_customer(row, published.as_of, scores, *named) for row in published.rows(columns)]


def customers_flat(published: Published) -> tuple[list[str], list[list[Any]]]:
    """The same as columns and rows, nested names joined with an underscore."""
    listed = [dict(_flat(customer)) for customer in customers_listed(published)]
    names = list(dict.fromkeys(name for row in listed for name in row))
    return names, [[row.get(name) for name in names] for row in listed]


def signals_listed(published: Published) -> list[dict[str, Any]]:
    """One object per customer and signal, the most severe first, then the largest value, then the customer."""
    signals = published.model.model.signals
    wanted = [name for name in published.columns if not name.startswith("q.")]
    found = [
        _signal(row, published.as_of, name, signals[name])
        for row in published.rows(wanted)
        for name in row["signals"]
        if name in signals
    ]
    return sorted(found, key=_urgency)


def metrics_listed(published: Published, customer: str | None = None) -> list[dict[str, Any]]:
    """One object per customer who has not left: its metric values, and for those not plainly known why."""
    wanted = ["customer_id", "status", *(c for c in published.columns if c.startswith(("m.", "q.")))]
    return [
        {"customer_id": row["customer_id"], "as_of": published.as_of.isoformat(), **_values(row)}
        for row in published.rows(wanted, customer=customer)
        if row["status"] != "churned"
    ]


def metric_names(published: Published) -> list[str]:
    """The metrics of a snapshot in the model's order."""
    return [name.removeprefix("m.") for name in published.columns if name.startswith("m.")]


def plain(value: Any) -> Any:
    """A value ready for JSON; moments are in UTC."""
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    return value.isoformat() if isinstance(value, date) else value


def _customer(row: Row, as_of: date, scores: dict[str, Score], health: str | None, risk: str | None) -> dict[str, Any]:
    others = [name for name in scores if name not in (health, risk)]
    return {
        "customer_id": row["customer_id"],
        "as_of": as_of.isoformat(),
        "name": row["name"],
        **{name: plain(row.get(name)) for name in _PLAIN},
        "company_size": None if row.get("company_size") is None else int(row["company_size"]),
        "health": None if health is None else _score(row, health),
        "churn_risk": None if risk is None else _short(row, risk),
        **({"scores": {name: _score(row, name) for name in others}} if others else {}),
        "segments": {"primary": row["segment"], "all": list(row["segments"])},
        "signals": list(row["signals"]),
    }


def _score(row: Row, name: str) -> dict[str, Any] | None:
    if row.get(f"{name}_band") is None:
        return None
    parts = {c.removeprefix(f"{name}."): value for c, value in row.items() if c.startswith(f"{name}.")}
    return {key: row[f"{name}_{key}"] for key in ("score", "raw", "band", "coverage")} | {"components": parts}


def _short(row: Row, name: str) -> dict[str, Any] | None:
    if row.get(f"{name}_band") is None:
        return None
    return {"score": row[f"{name}_score"], "band": row[f"{name}_band"]}


def _flat(customer: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in customer.items():
        match name, value:
            case ("segments", {"primary": primary, "all": everything}):
                yield "primary_segment", primary
                yield "segments", everything
            case ("health" | "churn_risk", _):
                yield from _flat_score(name, value)
            case ("scores", dict()):
                for other, score in value.items():
                    yield from _flat_score(other, score)
            case _:
                yield name, value


def _flat_score(name: str, score: dict[str, Any] | None) -> Iterator[tuple[str, Any]]:
    for key, value in (score or {}).items():
        if key == "components":
            prefix = "component" if name == "health" else f"{name}_component"
            yield from ((f"{prefix}_{part}", points) for part, points in value.items())
        else:
            yield f"{name}_{key}", value


def _signal(row: Row, as_of: date, name: str, signal: Signal) -> dict[str, Any]:
    return {
        "customer_id": row["customer_id"],
        "as_of": as_of.isoformat(),
        "name": row["name"],
        "owner_email": row["owner_email"],
        "mrr": row["mrr"],
        "segment": row["segment"],
        "signal": name,
        "label": signal.label or name,
        "kind": signal.kind,
        "severity": signal.severity,
        "value": row.get(f"signal_value.{name}"),
        "value_period": signal.value_period,
        "action": signal.action,
        "reason": filled(signal.reason, row, row.get(f"signal_value.{name}")),
    }


def _urgency(signal: dict[str, Any]) -> tuple[int, float, float, str, str]:
    value, mrr = signal["value"] or 0.0, signal["mrr"] or 0.0
    return SEVERITIES.index(signal["severity"]), -value, -mrr, signal["customer_id"], signal["signal"]


def _values(row: Row) -> dict[str, Any]:
    names = [c.removeprefix("m.") for c in row if c.startswith("m.")]
    qualities = {name: Quality(quality_code(row, name)) for name in names}
    return {
        "metrics": {n: None if qualities[n] >= UNKNOWN_FROM else plain(row[f"m.{n}"]) for n in names},
        "quality": {n: quality.name.lower() for n, quality in qualities.items() if quality is not Quality.KNOWN},
    }


def summaries(listed: Iterable[dict[str, Any]], names: Iterable[str]) -> Iterator[list[Any]]:
    """For every metric: for how many customers it is known and unknown, and its spread or most frequent value."""
    rows = [customer["metrics"] for customer in listed]
    for name in names:
        known = [row[name] for row in rows if row.get(name) is not None]
        yield [name, len(known), len(rows) - len(known), *_spread(known)]


def _spread(known: list[Any]) -> list[Any]:
    if known and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        ranked = sorted(known)
        return [float(ranked[0]), float(ranked[len(ranked) // 2]), float(ranked[-1]), None]
    counts = {value: known.count(value) for value in dict.fromkeys(known)}
    top = max(counts, key=lambda value: (counts[value], str(value)), default=None)
    return [None, None, None, None if top is None else f"{plain_words(top)} ({counts[top]})"]


def plain_words(value: Any) -> str:
    """A value in a word: yes and no for truth."""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
