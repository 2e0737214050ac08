"""A run of a playbook as its page and the customer's page show it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.urls import NoReverseMatch, reverse

from keepwell.interfaces.workspace.playbook_steps import KINDS, StepShown, steps_shown
from keepwell.interfaces.workspace.playbook_words import COMPANY, ROLES, playbook_label, trigger_words
from keepwell.model.step_definitions import END
from keepwell.reporting.words import label_of
from keepwell.services.team.playing.definitions import Defined, definition_of
from keepwell.services.team.playing.timelines import Moment, RunTimeline, run_timeline
from keepwell.services.workspace import Workspace
from keepwell.store.models import PlaybookRun

_GOES_ON: Final = "goes on to "
_LINKS: Final = {
    "task": ("The task", "task"),
    "approval": ("The question", "approval"),
    "outbox": ("The message", "outgoing"),
    "offer": ("The offer", "offer"),
    "run": ("The other run", "playbook_run"),
}
_CAUSED: Final = {"update_field": "update", "message": "email"}
_HEARD: Final = {
    "response: login": "The customer logged in",
    "response: click": "The customer clicked",
    "response: reply": "The customer replied",
    "response: meeting": "A meeting took place",
}


@dataclass(frozen=True)
class LineShown:
    """One line of a run: icon, words, links to what came of it."""

    at: datetime
    icon: str
    title: str
    what: str
    due: datetime | None
    refused: str
    linked: bool
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RunShown:
    """A run in words; `waits` says what it waits for, `upcoming` how it goes on then."""

    run: PlaybookRun
    label: str
    trigger: str
    defined: Defined | None
    steps: tuple[StepShown, ...]
    lines: tuple[LineShown, ...]
    waits: str
    until: datetime | None
    upcoming: tuple[str, ...]
    states: Mapping[str, str]


def run_shown(workspace: Workspace, run: PlaybookRun) -> RunShown:
    """Everything about a run."""
    defined = definition_of(workspace, run)
    steps = steps_shown(defined.model, defined.playbook) if defined else ()
    named = {step.name: step for step in steps}
    timeline = run_timeline(run)
    at = named.get(timeline.state.step)
    going = run.ended_at is None
    return RunShown(
        run=run,
        label=playbook_label(defined.model, run.playbook) if defined else label_of(run.playbook, None),
        trigger=trigger_words(defined.model, defined.playbook.trigger) if defined else "",
        defined=defined,
        steps=steps,
        lines=tuple(line_shown(moment, named, run.company) for moment in timeline.moments),
        waits=_waits(timeline, at).replace(COMPANY, run.company) if going else "",
        until=timeline.waits_until if going else None,
        upcoming=tuple(t.replace(COMPANY, run.company) for t in _upcoming(at, named)) if going and at else (),
        states=_states(run, timeline),
    )


def _states(run: PlaybookRun, timeline: RunTimeline) -> dict[str, str]:
    states = dict.fromkeys(timeline.visited, "done")
    return states | {timeline.state.step: "now"} if run.ended_at is None else states


def line_shown(moment: Moment, steps: Mapping[str, StepShown], company: str) -> LineShown:
    """One moment in words. What was heard is no doing of the step at which the run stood then."""
    step = steps.get(moment.step)
    if moment.what.startswith(("response: ", "outcome: ")):
        heard = _HEARD.get(moment.what) or _start(moment.what).replace("_", " ")
        return LineShown(moment.at, "message", heard, f"At step {step.number}" if step else "", None, "", False, ())
    otherwise = "player-play" if moment.what == "started" else "flag"
    icon = step.icon if step else KINDS.get(_CAUSED.get(moment.kind, moment.kind), ("", otherwise))[1]
    title = moment.title or (step.title if step else label_of(moment.step, None) if moment.step else "")
    title = title.replace(COMPANY, company)
    return LineShown(
        at=moment.at,
        icon=icon,
        title=f"{step.number}. {title}" if step else title or _start(moment.what),
        what=_start(_done(moment.what, steps)).replace(COMPANY, company) if title else "",
        due=moment.due,
        refused=moment.refused,
        linked=bool((moment.result or {}).get("linked")),
        links=tuple(_links(moment.result or {})),
    )


def _done(what: str, steps: Mapping[str, StepShown]) -> str:
    """What was done; a step that it led to goes by its number and title, not by its name in the file."""
    to = steps.get(what.removeprefix(_GOES_ON))
    return f"{_GOES_ON}{to.number}. {to.title}" if to and what.startswith(_GOES_ON) else what


def _links(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind, (words, name) in _LINKS.items():
        found = result.get(kind)
        ids = found if isinstance(found, list) else [] if found is None else [found]
        for number, one in enumerate(ids, 1):
            address = _address(name, one)
            if address:
                yield (f"{words} {number}" if len(ids) > 1 else words), address


def _address(name: str, pk: object) -> str:
    try:
        return reverse(name, args=[pk])
    except NoReverseMatch:
        return ""


def _waits(timeline: RunTimeline, step: StepShown | None) -> str:
    """What the run stands at, in words."""
    state = timeline.state
    title = step.title if step else label_of(state.step, None)
    if not timeline.begun:
        return f"The next step is ahead: {title}"
    if step is None:
        return f"It stands at: {title}"
    if step.kind == "approval":
        # As it was asked, with its values.
        asked = (one.title for one in reversed(timeline.moments) if one.step == state.step and one.title)
        title = next(asked, title)
        return f"{step.details[0].replace('Asks', 'Waits for the answer of')}: {title}"
    words = {"wait": "Waits", "wait_for": "Waits for an answer", "wait_until": "Waits until"}.get(
        step.kind, "Stands at"
    )
    return f"{words}: {title}"


def _upcoming(step: StepShown, steps: Mapping[str, StepShown]) -> Iterator[str]:
    """How it goes on from the step at which it stands."""
    for one in step.exits:
        to = "the end" if one.to == END else steps[one.to].heading
        yield f"{one.label}: {to}" if one.label else f"Then {to}"


def _start(text: str) -> str:
    return text[:1].upper() + text[1:]


def asked_words(role: str) -> str:
    """Whose answer a question wants."""
    return ROLES.get(role, role.replace("_", " "))
