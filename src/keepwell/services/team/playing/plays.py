"""Playbooks ready to run: those of the model as it is, and those that a run began with."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from keepwell.model.definitions import Model
from keepwell.model.message_definitions import Message
from keepwell.model.playbook_parts import message_of
from keepwell.model.problems import DefinitionError
from keepwell.model.step_definitions import END, EndStep
from keepwell.playbooks.facts import Rules
from keepwell.playbooks.play import Play, amounts_of, ready_play
from keepwell.playbooks.state import State
from keepwell.services.planning.sources import current_model
from keepwell.services.playbook_facts import playbook_names
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import PlaybookRun, PlaybookVersion


@dataclass(frozen=True)
class Kept:
    """A playbook of the model or of a run, with the model that it is read from."""

    play: Play
    model: Model

    @property
    def names(self) -> frozenset[str]:
        """The values that it reads."""
        return playbook_names(self.model, self.play.name) - self.play.rules.signals

    @property
    def label(self) -> str:
        """What people call it."""
        return self.play.playbook.label or self.play.name

    def came_to_its_end(self, state: State) -> bool:
        """Whether a run went all its way, and was not stopped on it."""
        step = self.play.steps.get(state.step)
        return state.step == END or (isinstance(step, EndStep) and state.begun is not None)

    def message(self, name: str) -> Message | None:
        """A message as the run knows it."""
        return self.model.messages.get(name)


@dataclass
class Plays:
    """The playbooks of a workspace. `model` is None while the one on disk cannot be read: then nothing new starts."""

    model: Model | None
    zone: str
    currency: str = ""
    _ready: dict[str, Kept] = field(default_factory=dict)
    _old: dict[tuple[str, str], Kept] = field(default_factory=dict)

    def current(self, name: str) -> Kept | None:
        """A playbook as the model has it now; None when it has none of that name."""
        if self.model is None or name not in self.model.playbooks:
            return None
        if name not in self._ready:
            self._ready[name] = Kept(ready_play(self.model, name, self.zone, self.currency), self.model)
        return self._ready[name]

    @cached_property
    def names(self) -> frozenset[str]:
        """The values that the model's playbooks read."""
        return frozenset() if self.model is None else playbook_names(self.model)

    def of_run(self, run: PlaybookRun) -> Kept:
        """The playbook that a run began with. Quiet hours, holidays and caps are always those of today."""
        return self.version(run.playbook, run.version)

    def version(self, playbook: str, version: str) -> Kept:
        """A version of a playbook; raises PlaybookVersion.DoesNotExist for one that no run began with."""
        now = self.current(playbook)
        if now is not None and now.play.version == version:
            return now
        if (playbook, version) not in self._old:
            kept = PlaybookVersion.objects.get(playbook=playbook, version=version)
            self._old[playbook, version] = self._read(kept)
        return self._old[playbook, version]

    def _read(self, kept: PlaybookVersion) -> Kept:
        said = {name: kept.definition[name] for name in ("settings", "calendar", "playbooks", "messages")}
        model = Model.model_validate({"model": {"name": "kept", "version": "1"}, **said})
        if self.model is not None:
            model = model.model_copy(update={"calendar": self.model.calendar})
        play = ready_play(model, kept.playbook, self.zone)
        rules = Rules(model.settings, frozenset(kept.definition["signals"]))
        # What is kept of a version has no metrics: which of them are money, today's model says.
        amounts = play.amounts if self.model is None else amounts_of(self.model, self.currency)
        return Kept(replace(play, version=kept.version, rules=rules, amounts=amounts), model)


def plays_of(workspace: Workspace) -> Plays:
    """The playbooks of a workspace as they are now."""
    try:
        return _of_model(_Same(current_model(workspace).model), workspace.zone, workspace.currency)
    except (DefinitionError, WorkspaceError):
        return Plays(None, workspace.zone, workspace.currency)


class _Same:
    """A model as a key: the same object, which is read once for the same files."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __hash__(self) -> int:
        return id(self.model)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.model is self.model


@lru_cache(maxsize=4)
def _of_model(same: _Same, zone: str, currency: str) -> Plays:
    return Plays(same.model, zone, currency)


def keep_version(kept: Kept, now: datetime) -> None:
    """Keep a playbook as it is, for the runs that begin with it."""
    PlaybookVersion.objects.get_or_create(
        playbook=kept.play.name,
        version=kept.play.version,
        defaults={"definition": _definition(kept), "kept_at": now},
    )


def _definition(kept: Kept) -> dict[str, Any]:
    """`playbooks` and `messages` hold this one and what it sends, in the form in which a model has them."""
    model, name = kept.model, kept.play.name
    sent = {found[1] for step in kept.play.playbook.steps if (found := message_of(step))}

    def plain(part: Any) -> Any:
        return part.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    return {
        "playbooks": {name: plain(kept.play.playbook)},
        "messages": {one: plain(model.messages[one]) for one in sorted(sent) if one in model.messages},
        "settings": plain(model.settings),
        "calendar": plain(model.calendar),
        "signals": sorted(kept.play.rules.signals),
    }
