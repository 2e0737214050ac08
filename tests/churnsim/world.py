"""The simulated social network in a warehouse, and the model whose metrics are compared."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from keepwell.evaluation.compiled import compile_model
from keepwell.metrics.compute import Engine
from keepwell.metrics.frame import day_number, number_day
from keepwell.model.definitions import Model
from keepwell.model.loader import LoadedModel, model_hash
from keepwell.services.runs import evaluate_days
from keepwell.warehouse.loading import LoadReport, load_paths, read_mapping
from keepwell.warehouse.storage import Warehouse

HERE = Path(__file__).parent
DATA = HERE / "data"
EVENTS = ("like", "newfriend", "post", "adview", "dislike", "unfriend", "message", "reply")
Values = dict[tuple[str, date], float]


def per_month(event: str) -> dict[str, object]:
    """How many events of a kind there were in 28 days."""
    return {"table": "events", "aggregate": "count", "where": f"name = '{event}'", "window": 28}


METRICS: dict[str, dict[str, object]] = {
    **{f"{event}_per_month": per_month(event) for event in EVENTS},
    "adview_per_post": {"expr": "adview_per_month / nullif(post_per_month, 0)"},
    "like_per_post": {"expr": "like_per_month / nullif(post_per_month, 0)"},
    "reply_per_message": {"expr": "reply_per_month / nullif(message_per_month, 0)"},
    "post_per_message": {"expr": "post_per_month / nullif(message_per_month, 0)"},
    "unfriend_per_newfriend": {"expr": "unfriend_per_month / nullif(newfriend_per_month, 0)"},
    "total_opinions": {"expr": "like_per_month + dislike_per_month"},
    "dislike_percent": {"expr": "dislike_per_month / nullif(total_opinions, 0)"},
    "newfriend_pcnt_change_4w": {
        "table": "events", "aggregate": "change", "where": "name = 'newfriend'", "window": 28,
    },
    "days_since_newfriend": {"table": "events", "aggregate": "days_since", "where": "name = 'newfriend'"},
    "open_subscriptions": {"table": "subscriptions", "aggregate": "count", "where": "ended_at is null"},
    "mrr": {
        "table": "subscriptions", "aggregate": "sum", "of": "mrr", "where": "ended_at is null", "empty": "unknown",
    },
    "first_start": {"table": "subscriptions", "aggregate": "min", "of": "started_at"},
    "account_tenure": {"expr": "case when open_subscriptions > 0 then days_since(first_start) end"},
    **{
        f"events_in_{days}_days": {"table": "events", "aggregate": "count", "window": days} for days in (29, 30, 31)
    },
}  # fmt: skip


def load_world(warehouse: Warehouse) -> LoadReport:
    """Load accounts, subscriptions and events through the mapping."""
    paths = [DATA / name for name in ("accounts.csv", "subscriptions.csv", "events.parquet")]
    mapping = read_mapping(HERE / "mapping.yaml")
    return load_paths(warehouse, paths, now=datetime(2020, 7, 1, tzinfo=UTC), mapping=mapping)


class Measured:
    """The model's metrics on the loaded world."""

    def __init__(self, warehouse: Warehouse) -> None:
        model = Model.model_validate(
            {
                "model": {"name": "social-network", "version": "1"},
                "settings": {"stale_after_days": {"events": 365, "subscriptions": 365}},
                "metrics": METRICS,
            }
        )
        self.compiled = compile_model(LoadedModel(model, model_hash(model)))
        self.engine = Engine(warehouse, model)

    def values(self, names: Iterable[str], days: Iterable[date]) -> dict[str, Values]:
        """Known values of metrics as of the end of each day, by metric, then account and day."""
        _, evaluation = evaluate_days(self.engine, self.compiled, sorted(day_number(day) for day in set(days)))
        ids, dates = evaluation.frame.customers, [number_day(int(day)) for day in evaluation.frame.days]
        found: dict[str, Values] = {}
        for name in names:
            column = evaluation.columns[name]
            known = np.flatnonzero(column.known)
            found[name] = {(str(ids[row]), dates[row]): float(column.values[row]) for row in known}
        return found
