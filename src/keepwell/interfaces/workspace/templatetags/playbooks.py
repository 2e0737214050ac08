"""How pages write what becomes of a run of a playbook."""

from collections.abc import Mapping
from typing import Any

from django import template

from keepwell.interfaces.workspace.playbook_words import COMPANY
from keepwell.interfaces.workspace.templatetags.keepwell import moment
from keepwell.playbooks.state import state_from
from keepwell.reporting.effects import Effect
from keepwell.reporting.words import label_of
from keepwell.store.models import PlaybookRun

register = template.Library()


@register.filter
def playbook_of(run: PlaybookRun, labels: Mapping[str, str] | None) -> str:
    """What the playbook of a run is called."""
    return (labels or {}).get(run.playbook) or label_of(run.playbook, None)


@register.filter
def stands(run: PlaybookRun, labels: Any) -> str:
    """Where a run stands, in one line; `labels` are of the steps by name, where they are known."""
    if run.ended_at is not None:
        return f"{run.reason[:1].upper()}{run.reason[1:] or 'Ended'}, {moment(run.ended_at)}"
    step = str(labels.get(run.step, "")).replace(COMPANY, run.company) if isinstance(labels, Mapping) else ""
    until = state_from(run.state).waits_until if run.state else None
    waits = f"until {moment(until)}" if until else ""
    return ", ".join(part for part in (step or label_of(run.step, None), waits) if part)


@register.filter
def capfirst_role(text: str) -> str:
    """Whose work it is: a role in words, else the address as it is."""
    role = text.removeprefix("role: ")
    return (
        text if role == text and text != "nobody" else role[:1].upper() + role[1:] if role != "nobody" else "No owner"
    )


@register.filter
def between(share: Effect) -> str:
    """The interval of a share."""
    return f"{share.low * 100:.0f} to {share.high * 100:.0f} %"


@register.filter
def share_points(value: float) -> str:
    """A difference of shares in whole percentage points, with its sign."""
    points = round(value * 100)
    return f"{points:+d}".replace("-", "\N{MINUS SIGN}") if points else "0"


@register.filter
def between_points(difference: Effect) -> str:
    """The interval of a difference of shares."""
    return f"{share_points(difference.low)} to {share_points(difference.high)}"
