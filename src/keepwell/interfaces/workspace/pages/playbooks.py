"""Playbooks: the list of them, and one with its drawing, its steps in words, its messages and its rules."""

from dataclasses import dataclass
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from keepwell.interfaces.workspace.pages.approvals import waiting_for
from keepwell.interfaces.workspace.pages.shared import PageRequest, page
from keepwell.interfaces.workspace.playbook_flow import flow_of
from keepwell.interfaces.workspace.playbook_steps import steps_shown
from keepwell.interfaces.workspace.playbook_words import (
    cap_said,
    condition_said,
    length_said,
    playbook_label,
    re_entry_said,
    stops_said,
    subject_said,
    trigger_words,
)
from keepwell.model.definitions import Model
from keepwell.model.playbook_definitions import ManualTrigger, Playbook
from keepwell.model.words import counted
from keepwell.services.published.copies import copies_current
from keepwell.services.team.access import Action, may
from keepwell.services.team.playing.comparing import FEWEST, playbook_compared
from keepwell.services.team.playing.definitions import playbook_model
from keepwell.services.team.playing.seen import customers_seen
from keepwell.services.team.playing.shown import NO_FIGURES, PlaybookFigures, playbook_figures, runs_of, switches
from keepwell.store.models import PlaybookSwitch

SHOWN: Final = (("", "All"), ("on", "Switched on"), ("off", "Switched off"), ("running", "With runs going on"))
LATEST: Final = 8


@dataclass(frozen=True)
class PlaybookLine:
    """A playbook in the list; `playbook` is None for one that the model has no longer."""

    name: str
    label: str
    trigger: str
    playbook: Playbook | None
    switch: PlaybookSwitch | None
    figures: PlaybookFigures

    @property
    def on(self) -> bool:
        """Whether it starts by itself."""
        return self.playbook is not None and self.switch is not None and self.switch.on

    @property
    def by_hand(self) -> bool:
        """Whether nothing but a person or another playbook starts it."""
        return self.playbook is not None and isinstance(self.playbook.trigger, ManualTrigger)


@require_GET
@page(Action.SEE)
def playbooks(request: PageRequest) -> HttpResponse:
    """All playbooks of the model, and those that ran before."""
    seen = customers_seen(request.workspace, request.user)
    lines = playbook_lines(playbook_model(request.workspace), playbook_figures(seen))
    find, show = request.GET.get("find", "").strip(), request.GET.get("show", "")
    words = find.lower().split()
    chosen = [line for line in lines if _shows(line, show) and all(word in _searched(line) for word in words)]
    known = {
        "lines": chosen,
        "total": len(lines),
        "on": sum(line.on for line in lines),
        "running": sum(line.figures.running for line in lines),
        "find": find,
        "show": show,
        "choices": SHOWN,
        "own": seen is not None,
        "open_approvals": waiting_for(request.workspace, request.user)[0].count(),
    }
    template = "table" if request.htmx.target == "playbooks" else "list"
    return render(request, f"workspace/playbooks/{template}.html", known)


def playbook_lines(model: Model, figures: dict[str, PlaybookFigures]) -> list[PlaybookLine]:
    """Every playbook of the model in its order, then those that it has no longer."""
    switched = switches()
    gone = sorted(name for name in figures if name not in model.playbooks)
    return [
        PlaybookLine(
            name=name,
            label=playbook_label(model, name),
            trigger=trigger_words(model, found.trigger) if found else "",
            playbook=found,
            switch=switched.get(name),
            figures=figures.get(name, NO_FIGURES),
        )
        for name in (*model.playbooks, *gone)
        for found in [model.playbooks.get(name)]
    ]


def _searched(line: PlaybookLine) -> str:
    return f"{line.name} {line.label} {line.trigger}".lower()


def _shows(line: PlaybookLine, show: str) -> bool:
    match show:
        case "on":
            return line.on
        case "off":
            return not line.on and line.playbook is not None
        case "running":
            return line.figures.running > 0
    return True


@require_GET
@page(Action.SEE)
def playbook(request: PageRequest, name: str) -> HttpResponse:
    """One playbook: what it does and how it goes."""
    model = playbook_model(request.workspace)
    found = playbook_or_404(model, name)
    seen = customers_seen(request.workspace, request.user)
    steps = steps_shown(model, found)
    runs = runs_of(seen, playbook=name)
    known = {
        **heading(request, model, name),
        "steps": steps,
        "flow": flow_of(steps, trigger_words(model, found.trigger)),
        "rules": _rules(model, found),
        "messages_used": _messages(model, found),
        "figures": playbook_figures(seen, name).get(name, NO_FIGURES),
        "compared": playbook_compared(request.workspace, name, seen),
        "runs": runs[:LATEST],
        "own": seen is not None,
        "fewest": FEWEST,
        "labels": {step.name: step.heading for step in steps},
    }
    return render(request, "workspace/playbooks/playbook.html", known)


def playbook_or_404(model: Model, name: str) -> Playbook:
    """The playbook of that name."""
    found = model.playbooks.get(name)
    if found is None:
        raise Http404
    return found


def heading(request: PageRequest, model: Model, name: str) -> dict[str, Any]:
    """What every page of a playbook says of it."""
    found = model.playbooks.get(name)
    switch = PlaybookSwitch.objects.filter(playbook=name).select_related("changed_by").first()
    return {
        "name": name,
        "label": playbook_label(model, name),
        "playbook": found,
        "trigger": trigger_words(model, found.trigger) if found else "",
        "switch": switch,
        "is_on": switch is not None and switch.on and found is not None,
        "by_hand": found is not None and isinstance(found.trigger, ManualTrigger),
        "may_switch": may(request.user, Action.SWITCH_PLAYBOOKS) and found is not None,
        "may_start": may(request.user, Action.WORK) and found is not None,
        "may_start_many": may(request.user, Action.APPROVE) and found is not None,
        "published": copies_current(request.workspace) is not None,
    }


def _rules(model: Model, found: Playbook) -> list[tuple[str, str]]:
    """What holds for all steps, as pairs of a question and its answer."""
    calendar = model.calendar
    quiet = f"Messages wait from {' to '.join(calendar.quiet_hours.split('-'))}" if calendar.quiet_hours else ""
    days = f"on {', '.join(day.capitalize() for day in calendar.quiet_days)}" if calendar.quiet_days else ""
    rules = [
        ("Starts when", trigger_words(model, found.trigger)),
        ("Only for", "" if found.audience is None else f"customers with {condition_said(model, found.audience)}"),
        ("Has worked when", "" if found.goal is None else condition_said(model, found.goal)),
        ("Judged", _judged(found)),
        ("Ends early with", stops_said(found)),
        ("Again", re_entry_said(found)),
        ("Messages", cap_said(model, found)),
        ("Quiet hours", " and ".join(part for part in (quiet, days) if part)),
        ("Held out", f"{found.hold_out:.0%} of customers, to compare with" if found.hold_out else ""),
        ("Longest", length_said(found.longest)),
    ]
    return [(title, text) for title, text in rules if text]


def _judged(found: Playbook) -> str:
    """Until when the goal counts, where somebody is held out to compare with."""
    if found.goal is None or not found.hold_out:
        return ""
    return f"within {counted(found.goal_days, 'day')} of its start, against those held out"


def _messages(model: Model, found: Playbook) -> list[tuple[str, Any, str, list[int]]]:
    """The messages that it sends: name, definition, subject, the steps that send it."""
    sent: dict[str, list[int]] = {}
    for step in steps_shown(model, found):
        if step.message:
            sent.setdefault(step.message, []).append(step.number)
    known = ((name, model.messages.get(name), numbers) for name, numbers in sent.items())
    return [(name, one, subject_said(model, one.subject) if one else "", numbers) for name, one, numbers in known]
