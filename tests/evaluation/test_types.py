"""The type of a metric where the model does not say."""

from typing import Any

import pytest

from keepwell.evaluation.types import metric_types
from tests.evaluation.models import loaded

CASES: list[tuple[Any, str]] = [
    ({"given": True}, "number"),
    ({"given": True, "values": ["x"]}, "text"),
    ({"attribute": "plan"}, "text"),
    ({"attribute": "mrr"}, "number"),
    ({"attribute": "renewal_date"}, "date"),
    ({"attribute": "auto_renew"}, "boolean"),
    ({"attribute": "traits.seats"}, "number"),
    ({"attribute": "traits.colour", "type": "text"}, "text"),
    ({"table": "events", "aggregate": "count"}, "number"),
    ({"table": "events", "aggregate": "exists"}, "boolean"),
    ({"table": "subscriptions", "aggregate": "latest", "of": "plan"}, "text"),
    ({"table": "subscriptions", "aggregate": "max", "of": "renewal_date"}, "date"),
    ("base > 3", "boolean"),
    ("day + 30", "date"),
    ("days_until(day)", "number"),
    ("if(base > 3, 'much', 'little')", "text"),
    ("case when base > 3 then null else 'little' end", "text"),
    ("coalesce(word, 'none')", "text"),
    ("setting.limit = base", "boolean"),
    ("segment", "text"),
    ("before(word, 3)", "text"),
    ("as_of()", "date"),
]


@pytest.mark.parametrize(("metric", "kind"), CASES)
def test_types(metric: Any, kind: str) -> None:
    others = {"base": "number", "day": "date", "word": "text"}
    model = loaded({**others, "x": metric}, settings={"values": {"limit": 3}}).model
    assert metric_types(model)["x"] == kind
