"""The signals of a customer that are on, ready for their template."""

from collections.abc import Iterator
from dataclasses import dataclass

from keepwell.interfaces.workspace.pages.customer_shown import TestShown, condition_shown
from keepwell.reporting.reasons import Reasons
from keepwell.services.explaining import Explained


@dataclass(frozen=True)
class SignalShown:
    """A signal that is on, with what it is about and what to do."""

    label: str
    kind: str
    severity: str
    reason: str
    action: str
    value: float | None
    period: str
    test: TestShown


def signals_shown(explained: Explained, currency: str) -> Iterator[SignalShown]:
    """The signals that are on, in the model's order."""
    model = explained.compiled.model
    reasons = Reasons(model, explained.evaluation, currency)
    for signal in explained.explanation.signals:
        if signal.on:
            yield SignalShown(
                label=signal.label,
                kind=signal.kind,
                severity=signal.severity,
                reason=reasons.signal(signal.name, explained.row),
                action=signal.action,
                value=signal.value,
                period=signal.value_period,
                test=condition_shown(model, signal.condition, currency),
            )
