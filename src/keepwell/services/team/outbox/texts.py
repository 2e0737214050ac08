"""The model as messages need it: as its files stand now, and a message as the run of a playbook knows it."""

from keepwell.model.definitions import Model, Settings
from keepwell.model.message_definitions import Calendar, Message
from keepwell.model.problems import DefinitionError
from keepwell.services.planning.sources import current_model
from keepwell.services.team.task_days import published_model
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import PlaybookRun, PlaybookVersion


def model_now(workspace: Workspace) -> Model:
    """The workspace's model; raises DefinitionError or WorkspaceError."""
    return current_model(workspace).model


def message_named(workspace: Workspace, name: str, run: PlaybookRun | None = None) -> Message:
    """A message as it was when the run began, else as it is now; raises KeyError, DefinitionError, WorkspaceError."""
    kept = PlaybookVersion.objects.filter(playbook=run.playbook, version=run.version).first() if run else None
    found = kept.definition.get("messages", {}).get(name) if kept else None
    return model_now(workspace).messages[name] if found is None else Message.model_validate(found)


def settings_now(workspace: Workspace) -> Settings:
    """The model's settings; those of the published day while somebody's mistake makes the model unreadable."""
    try:
        return model_now(workspace).settings
    except (DefinitionError, WorkspaceError):
        return published_model(workspace).settings


def calendar_now(workspace: Workspace) -> Calendar:
    """When customers are left alone; the usual hours while the model cannot be read."""
    try:
        return model_now(workspace).calendar
    except (DefinitionError, WorkspaceError):
        return Calendar()
