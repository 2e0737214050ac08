"""The definitions that pages show: of the model as it is, and of the version that a run keeps to."""

from dataclasses import dataclass

from keepwell.model.definitions import Model
from keepwell.model.playbook_definitions import Playbook
from keepwell.model.problems import DefinitionError
from keepwell.playbooks.play import playbook_version
from keepwell.services.planning.sources import current_model
from keepwell.services.published.copies import copies_current
from keepwell.services.published.kept_models import model_of
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
    """The model as it is; while it cannot be read, the one that the published day was made with."""
    try:
        return current_model(workspace).model
    except DefinitionError:
        copies = copies_current(workspace)
        if copies is None:
            raise
        return model_of(workspace, copies).model


def definition_of(workspace: Workspace, run: PlaybookRun) -> Defined | None:
    """The version that a run keeps to, with the words of today's model; None when nothing of it is left."""
    model = playbook_model(workspace)
    now = model.playbooks.get(run.playbook)
    try:
        kept = plays_of(workspace).of_run(run)
    except PlaybookVersion.DoesNotExist:
        return None if now is None else Defined(model, now, old=True)
    playbook = kept.play.playbook
    update = {
        "playbooks": {**model.playbooks, run.playbook: playbook},
        "messages": {**model.messages, **kept.model.messages},
    }
    old = now is None or playbook_version(model, run.playbook) != run.version
    return Defined(model.model_copy(update=update), playbook, old)
