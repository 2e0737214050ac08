"""What tasks are called: in words, also where a model names its actions as programs do."""

import pytest

from keepwell.model.definitions import Model
from keepwell.model.packs import resolve_model
from keepwell.services.team.reasons import Reason, SignalOn, Situation
from keepwell.services.team.wanted import wanted_tasks
from keepwell.warehouse.columns import TABLE_COLUMNS


def signalled(model: Model, name: str) -> Situation:
    reason = Reason(f"signal {name!r} is on", "It happened")
    return Situation("acme", None, signals=(SignalOn(name, model.signals[name], reason),))


@pytest.mark.parametrize(
    ("pack", "signal", "title", "action"),
    [
        ("saas-monitoring", "usage_cliff_detected", "Usage cliff: {company}", "Automated re engagement sequence"),
        ("saas-monitoring", "critical_health_drop", "Critical health drop: {company}", "Immediate CEO notification"),
        ("agency-signals", "payment_failed", "Call about the payment: {company}", "Call about the payment"),
    ],
)
def test_a_task_is_called_what_there_is_to_do(pack: str, signal: str, title: str, action: str) -> None:
    model = resolve_model(pack, tables=TABLE_COLUMNS).model
    [task] = wanted_tasks(model, signalled(model, signal))
    assert (task.title, task.action) == (title, action)
