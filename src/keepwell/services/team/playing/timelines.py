"""A run as a timeline: what was done when, what came of it, what is waited for and until when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from keepwell.playbooks.events import Wanted
from keepwell.playbooks.state import Mark, State, state_from
from keepwell.store.models import Approval, PlaybookEffect, PlaybookRun

_ANSWERED: Final = ("approved", "refused")
_UNSEEN: Final = (str(Wanted.TIMER), str(Wanted.END))


@dataclass(frozen=True)
class Moment:
    """One line of a run's history: what happened at which step (empty for the run itself), and what it caused.

    `title` is what was asked for in words, `result` names rows by their kind (`task`, `outbox`, `approval`, `offer`),
    `refused` says why nothing came of it.
    """

    at: datetime
    step: str
    what: str
    kind: str = ""
    title: str = ""
    due: datetime | None = None
    result: Mapping[str, Any] | None = None
    refused: str = ""


@dataclass(frozen=True)
class RunTimeline:
    """A run's history and where it stands. `begun` tells a step that began from one that is still ahead."""

    moments: tuple[Moment, ...]
    state: State
    waits_until: datetime | None
    visited: frozenset[str]

    @property
    def begun(self) -> bool:
        """Whether the step at which it stands has begun."""
        return self.state.begun is not None


def run_timeline(run: PlaybookRun) -> RunTimeline:
    """Everything that is known of a run, in the order in which it happened."""
    state = state_from(run.state)
    effects = list(run.effects.exclude(kind__in=_UNSEEN).order_by("at", "key"))
    moments = tuple(_with_notes(run, effects, _moments(state.history, effects)))
    visited = frozenset(mark.step for mark in state.history if mark.step) | {state.step} - {"end"}
    return RunTimeline(moments, state, state.waits_until, visited)


def _moments(history: tuple[Mark, ...], effects: list[PlaybookEffect]) -> Iterator[Moment]:
    """The lines of the history, each with the effect of its step at that moment; an effect belongs to one line."""
    left, titles = list(effects), dict[str, str]()
    for mark in history:
        found = next((e for e in left if e.step == mark.step and e.at == mark.at and mark.step), None)
        if found is not None:
            left.remove(found)
        moment = _moment(mark, found)
        # What was asked with its values is answered by the same words.
        titles[mark.step] = moment.title or titles.get(mark.step, "")
        yield replace(moment, title=titles[mark.step])


def _with_notes(run: PlaybookRun, effects: list[PlaybookEffect], moments: Iterator[Moment]) -> Iterator[Moment]:
    """What whoever answered a question had to say about it stands beside the answer."""
    notes: dict[str, str] | None = None
    for moment in moments:
        if moment.what.startswith(_ANSWERED):
            notes = _notes(run, effects) if notes is None else notes
            note = notes.get(moment.step)
            yield replace(moment, what=f"{moment.what}: “{note}”") if note else moment
        else:
            yield moment


def _notes(run: PlaybookRun, effects: list[PlaybookEffect]) -> dict[str, str]:
    steps = {effect.key: effect.step for effect in effects if effect.kind == Wanted.APPROVAL}
    answered = Approval.objects.filter(run=run, key__in=steps).exclude(note="").order_by("pk")
    return {steps[key]: note for key, note in answered.values_list("key", "note")}


def _moment(mark: Mark, effect: PlaybookEffect | None) -> Moment:
    if effect is None:
        return Moment(mark.at, mark.step, mark.what)
    details, result = effect.details, effect.result
    title = details.get("title") or details.get("text") or details.get("question") or ""
    title = title or (details.get("offer") or {}).get("title") or ""
    return Moment(
        mark.at, mark.step, mark.what, effect.kind, str(title), effect.due, result, str(result.get("refused") or "")
    )
