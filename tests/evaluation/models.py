"""Small models and frames for tests, said in a few words."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from keepwell.evaluation.compiled import CompiledModel, compile_model
from keepwell.evaluation.given import read_column
from keepwell.evaluation.model_run import Evaluation, evaluate_model
from keepwell.metrics.frame import Frame, day_number
from keepwell.model.definitions import Model
from keepwell.model.loader import LoadedModel

DAY = date(2026, 1, 31)


def loaded(metrics: Mapping[str, Any], **sections: Any) -> LoadedModel:
    """A model; a metric given as a text is an expression, as None or a type it is given directly."""
    data = {"model": {"name": "small", "version": "1"}, "metrics": {k: _metric(v) for k, v in metrics.items()}}
    return LoadedModel(Model.model_validate({**data, **sections}), "0" * 64)


def compiled(metrics: Mapping[str, Any], **sections: Any) -> CompiledModel:
    """The same, ready to be evaluated."""
    return compile_model(loaded(metrics, **sections))


def _metric(said: Any) -> Any:
    if isinstance(said, str) and said in ("number", "boolean", "text", "date"):
        return {"given": True, "type": said}
    if isinstance(said, str):
        return {"expr": said}
    return {"given": True} if said is None else said


def frame(model: CompiledModel, columns: Mapping[str, Sequence[object]], **keys: Sequence[Any]) -> Frame:
    """A frame of values; `customers` and `days` (numbers, 0 is DAY) may be given, else every row is a customer."""
    rows = max(map(len, columns.values()))
    read = {}
    for name, values in columns.items():
        read[name], unreadable = read_column(values, model.types[name], model.model.metrics[name].values)
        assert not unreadable
    customers = np.array(keys.get("customers", [f"c{row}" for row in range(rows)]), dtype=object)
    days = np.array(keys.get("days", [0] * rows), dtype=np.int64) + day_number(DAY)
    return Frame(customers, days, read)


def evaluated(model: CompiledModel, columns: Mapping[str, Sequence[object]], **keys: Any) -> Evaluation:
    """A model evaluated on such a frame, with single measures."""
    return evaluate_model(model, frame(model, columns, **keys), lean=False)


def score_of(components: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A score `health` of these components, with two bands and no minimum coverage."""
    bands = [{"name": "High", "from": 50}, {"name": "Low", "from": 0}]
    return {"health": {"bands": bands, "minimum_coverage": 0, "components": components, **more}}
