"""Columns of customers named in expressions: metrics that nobody had to define."""

from collections.abc import Callable

import pytest

from keepwell.model.definitions import Model
from keepwell.model.diff import diff_models
from keepwell.model.loader import LoadedModel, model_hash
from keepwell.model.metric_definitions import Metric, MetricType

Load = Callable[..., LoadedModel]
Problems = Callable[..., list[str]]
HEAD = 'model: {name: m, version: "1"}\n'
SEGMENTS = """
segments:
  german: {when: "country = 'DE' and mrr > 100"}
  stage: {dimension: stage, by: lifecycle_stage}
  soon: {dimension: soon, when: {attribute: renewal_date, operator: is_known}}
  rest: {catch_all: true}
signals:
  big: {when: days_since(customer_since) > 30 and not auto_renew, value: arr}
"""


def test_a_column_becomes_a_metric_of_its_type(load: Load) -> None:
    loaded = load(HEAD + SEGMENTS)
    assert loaded.columns == tuple(sorted(loaded.model.metrics)) == tuple(sorted(loaded.columns))
    types = {name: metric.type for name, metric in loaded.model.metrics.items()}
    assert types["country"] is MetricType.TEXT
    assert types["mrr"] is types["arr"] is MetricType.NUMBER
    assert types["renewal_date"] is types["customer_since"] is MetricType.DATE
    assert types["auto_renew"] is MetricType.BOOLEAN
    assert loaded.model.metrics["lifecycle_stage"].values[:2] == ("onboarding", "adoption")


def test_the_hash_is_that_of_the_content_and_does_not_depend_on_where_columns_are_named(load: Load) -> None:
    loaded = load(HEAD + SEGMENTS)
    again = Model.model_validate(loaded.model.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    assert model_hash(again) == loaded.hash == load(HEAD + SEGMENTS).hash
    written = {name: metric.model_dump(mode="json", exclude_defaults=True) for name, metric in again.metrics.items()}
    declared = Model.model_validate({**loaded.model.model_dump(mode="json", exclude_defaults=True), "metrics": written})
    assert model_hash(declared) == loaded.hash


def test_a_model_that_names_metrics_only_stays_what_it_was(load: Load) -> None:
    text = HEAD + "metrics: {mrr: {attribute: arr}}\nsegments: {big: {when: mrr > 5}, rest: {catch_all: true}}"
    loaded = load(text)
    assert loaded.columns == ()
    assert loaded.model.metrics == {"mrr": Metric(attribute="arr")}


def test_naming_a_column_is_one_change_and_not_two(load: Load) -> None:
    old = load(HEAD + "segments: {big: {when: mrr > 5}, rest: {catch_all: true}}")
    new = load(HEAD + "segments: {big: {when: arr > 5}, rest: {catch_all: true}}")
    changes = [str(change) for change in diff_models(old.model, new.model)]
    assert changes == ["segment big: when changed from mrr > 5 to arr > 5"]


def test_a_metric_that_cannot_be_read_does_not_become_the_column(problems: Problems) -> None:
    found = problems(
        HEAD + "metrics: {mrr: {tabel: invoices}}\nsegments: {a: {when: mrr > 5}, rest: {catch_all: true}}"
    )
    assert len(found) == 1
    assert "unknown key 'tabel'" in found[0]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("country > 5", "'country' is a text and 5 a number: they cannot be compared"),
        ("renewal_date < 60", "'renewal_date' is a date and 60 a number: they cannot be compared; use days_since()"),
        ("payment_status = 'faild'", "'payment_status' is never 'faild'; did you mean 'failed'?"),
        ("lifecycle_stage = renewal", "unknown name 'renewal'; a text needs quotes: 'renewal'"),
        ("mrr", "is a number; a condition must be true or false"),
        ("cuntry = 'DE'", "unknown name 'cuntry'; did you mean 'country'?"),
        ("big > 1", "'big' is a boolean and 1 a number: they cannot be compared"),
    ],
)
def test_a_column_is_used_as_what_it_is(problems: Problems, condition: str, message: str) -> None:
    segments = f'segments: {{a: {{when: "{condition}"}}, rest: {{catch_all: true}}}}'
    text = f"{HEAD}{segments}\nsignals: {{big: {{when: arr > 5}}}}"
    assert any(message in problem for problem in problems(text)), problems(text)
