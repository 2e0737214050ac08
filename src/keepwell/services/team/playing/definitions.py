"""The definitions that pages show: of the model as it is, and of the version that a run keeps to."""

from dataclasses import dataclass

from keepwell.model.definitions import Model
from keepwell.model.playbook_definitions import Playbook
from keepwell.playbooks.play import playbook_version
from keepwell.services.planning.sources import current_model
from keepwell.services.team.playing.plays import plays_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import PlaybookRun, PlaybookVersion


@dataclass(frozen=True)
class Defined:
    """A playbook with the model whose words and messages it uses; `old` when the model has another version by now."""

    model: Model
    playbook: Playbook
    old: bool = False


def playbook_model(workspace: Workspace) -> Model:
    """The model as it is; raises DefinitionError while it cannot be read."""
    return current_model(workspace).model


def in_model(workspace: Workspace, name: str) -> bool:
    """Whether the model has a playbook of that name now."""
    model = plays_of(workspace).model
    return model is not None and name in model.playbooks


def definition_of(workspace: Workspace, run: PlaybookRun) -> Defined | None:
    """The version that a run keeps to, with the words of today's model; None when nothing of it is left.

    While the model cannot be read, what was kept of it for the run has to do.
    """
    plays = plays_of(workspace)
    model = plays.model
    now = None if model is None else model.playbooks.get(run.playbook)
    try:
        kept = plays.of_run(run)
    except PlaybookVersion.DoesNotExist:
        return None if model is None or now is None else Defined(model, now, old=True)
    if model is None:
        return Defined(kept.model, kept.play.playbook)
    playbook = kept.play.playbook
    update = {
        "playbooks": {**model.playbooks, run.playbook: playbook},
        "messages": {**model.messages, **kept.model.messages},
    }
    old = now is None or playbook_version(model, run.playbook) != run.version
    return Defined(model.model_copy(update=update), playbook, old)
