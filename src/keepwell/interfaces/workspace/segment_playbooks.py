"""The playbooks that carry out what a segment's strategy recommends."""

from dataclasses import dataclass

from keepwell.interfaces.workspace.playbook_words import playbook_label, trigger_words
from keepwell.model.playbook_definitions import EnteredTrigger, LeftTrigger
from keepwell.services.team.playing.plays import plays_of
from keepwell.services.team.playing.switches import switched_on
from keepwell.services.workspace import Workspace


@dataclass(frozen=True)
class PlaybookLine:
    """A playbook of a segment: what starts it, and whether it is on."""

    name: str
    label: str
    starts: str
    on: bool


def playbooks_of(workspace: Workspace, segment: str) -> list[PlaybookLine]:
    """Those that start when a customer enters or leaves a segment, by today's model; none while it cannot be read."""
    model, on = plays_of(workspace).model, switched_on()
    if model is None:
        return []
    return [
        PlaybookLine(name, playbook_label(model, name), trigger_words(model, playbook.trigger), name in on)
        for name, playbook in model.playbooks.items()
        if segment in _of_trigger(playbook.trigger)
    ]


def _of_trigger(trigger: object) -> tuple[str, ...]:
    match trigger:
        case EnteredTrigger(segment_entered=segment) | LeftTrigger(segment_left=segment):
            return (segment,)
    return ()
