"""Alerts are checked like the rest of a model. `«` marks where the problem must be reported."""

from collections.abc import Callable
from pathlib import Path

import pytest

from keepwell.model.alert_definitions import OnEvent, causes_of
from keepwell.model.loader import LoadedModel, content_hash
from keepwell.model.loader import load_model as load_directory
from keepwell.model.packs import pack_directory, pack_names
from keepwell.warehouse.columns import TABLE_COLUMNS

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")
ALERTS = """\
alerts:
  failed:
    on:
      - {event: payment_failed, where: "amount >= 100"}
      - {signal: quiet}
    severity: high
    within: 2h
    to: support
    escalation: [{to: manager}, {to: executive, after: 1h}]
    notify: [slack, email]
    off_for_days: 3
    resolved_by: {event: payment_succeeded}
    title: "{company} failed to pay {event.amount}"
    what: "MRR is {mrr}."
    money: mrr * 12
    money_period: year
"""
Load = Callable[..., LoadedModel]
Problems = Callable[..., list[str]]
MISTAKES = [
    ("signal: quiet", "signal: «quite", "unknown signal 'quite'; did you mean 'quiet'?"),
    ("- {signal: quiet}", "- «{signl: quiet}", "what sets an alert off has one of signal, event"),
    ('"amount >= 100"', '"«amount +"', "not an expression"),
    ("within: 2h", "within: «2 hrs", "is no length of time"),
    ("to: support", "to: «suport", "did you mean 'support'?"),
    ("severity: high", "severity: «info", "must be"),
    ("[slack, email]", "[«slak, email]", "did you mean 'slack'?"),
    ("[slack, email]", "«slak", "did you mean 'slack'?"),
    ("[slack, email]", "[slack, «slack]", "'slack' is named already"),
    ("[slack, email]", "[]", "needs at least one entry"),
    ("severity: high", "«severty: high", "unknown key 'severty'; did you mean 'severity'?"),
    ("to: executive", "to: «support", "'support' was told before"),
    ("to: executive", "to: «manager", "'manager' was told before"),
    ("    within: 2h\n", "", "a chain of people needs a deadline"),
    ("{mrr}", "«{mr}", "unknown placeholder '{mr}'; did you mean 'mrr'?"),
    ("{mrr}", "«{amount}", "a property of the event is {event.NAME}"),
    ("money: mrr * 12", "money: «mr * 12", "unknown name 'mr'"),
    ("money: mrr * 12", "money: «plan", "'money' takes a number"),
    ("    money: mrr * 12\n", "", "'money_period' needs 'money'"),
    ("      - {signal: quiet}\n", "", "'off_for_days' needs a signal"),
    ("- {signal: quiet}", '- «{event: payment_failed, where: "amount >= 100"}', "sets it off already"),
]


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES)
def test_a_mistake_is_found_at_its_place(problems: Problems, old: str, new: str, message: str) -> None:
    assert ALERTS.count(old) == 1
    broken = ALERTS.replace(old, new)
    about = [line for line in problems(GOOD, alerts=broken.replace("«", "")) if message in line]
    assert about, problems(GOOD, alerts=broken.replace("«", ""))
    if "«" in broken and "not an expression" not in message:
        index = broken.index("«")
        line, column = broken.count("\n", 0, index) + 1, index - broken.rfind("\n", 0, index)
        assert any(text.startswith(f"m/alerts.yaml:{line}:{column}: ") for text in about), (line, column, about)


def test_the_good_one_is_good_and_changes_no_figure(load: Load) -> None:
    without, with_alerts = load(GOOD), load(GOOD, alerts=ALERTS)
    assert with_alerts.hash == without.hash
    assert content_hash(with_alerts.model) != content_hash(without.model)
    assert not [str(problem) for problem in with_alerts.problems if "alerts.yaml" in str(problem)]
    rule = with_alerts.model.alerts["failed"]
    assert (rule.to, rule.cool_down, [rung.to for rung in rule.escalation]) == (
        "support",
        "24h",
        ["manager", "executive"],
    )


def test_one_cause_needs_no_list(load: Load) -> None:
    rule = load(GOOD, alerts="alerts: {a: {on: {signal: quiet}}}").model.alerts["a"]
    assert [cause.model_dump() for cause in rule.on] == [{"signal": "quiet"}]


def test_the_document_s_four_alerts_have_its_deadlines() -> None:
    alerts = load_directory(pack_directory("saas-monitoring"), tables=TABLE_COLUMNS).model.alerts
    found = {name: (rule.severity, rule.within, rule.to) for name, rule in alerts.items()}
    assert found["critical_health_drop"] == ("critical", "1h", "executive")
    assert found["usage_cliff_detected"][1] == "15min"
    assert found["payment_failure"] == ("high", "2h", "support")
    assert found["feature_abandonment"][1] == "next business day"


@pytest.mark.parametrize(
    "pack", ["agency-signals", "b2b-saas", "household-app", "operator-points", "portfolio-segments", "saas-monitoring"]
)
def test_every_pack_hears_what_no_customer_should_say_twice(pack: str) -> None:
    alerts = load_directory(pack_directory(pack), tables=TABLE_COLUMNS).model.alerts
    heard = {getattr(cause, "event", None) for rule in alerts.values() for cause in rule.on}
    assert heard >= {"payment_failed", "cancellation_scheduled", "churned", "ticket_created", "nps_answered"}


@pytest.mark.parametrize("pack", pack_names())
def test_tickets_have_clocks_where_a_document_gives_them(pack: str) -> None:
    """The guide's service levels are in its pack and in the general one; no other document knows any."""
    alerts = load_directory(pack_directory(pack), tables=TABLE_COLUMNS).model.alerts
    heard = {cause.event for rule in alerts.values() for cause in causes_of(rule)}
    clocks = {"ticket_sla_near", "ticket_sla_breached", "ticket_sla_settled"}
    assert clocks & heard == (clocks if pack in ("b2b-saas", "household-app") else set())
    for rule in alerts.values():
        if {cause.event for cause in causes_of(rule)} & clocks:
            assert (rule.to, rule.resolved_by) == ("support", OnEvent(event="ticket_sla_settled"))
