"""What a playbook would have asked for over the published days: shown before it is switched on."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from keepwell.model.problems import did_you_mean
from keepwell.playbooks.budget import Budget, budget
from keepwell.playbooks.play import ready_play
from keepwell.playbooks.simulate import ReplayError, replay
from keepwell.services.playbook_facts import DayFacts, day_facts, playbook_names
from keepwell.services.reading import published_date
from keepwell.services.workspace import Workspace, WorkspaceError

DEFAULT_DAYS: Final = 90
_CAPACITY: Final = "weekly_capacity"


def simulate_playbook(
    workspace: Workspace,
    name: str,
    *,
    days: int = DEFAULT_DAYS,
    as_of: date | None = None,
    capacity: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Budget:
    """Replay a playbook of the workspace's model over its published days.

    Parameters
    ----------
    days, as_of
        The last so many days up to a published date (the latest).
    capacity
        Touchpoints in a week; the model's `weekly_capacity` if left out.

    Raises
    ------
    WorkspaceError
        When there is no such playbook, when nothing is published, or when the past says nothing about it.
    """
    model = workspace.model().model
    if name not in model.playbooks:
        known = ", ".join(model.playbooks) or "none"
        raise WorkspaceError(
            f"there is no playbook '{name}'{did_you_mean(name, model.playbooks) or f'; there are: {known}'}"
        )
    play = ready_play(model, name, workspace.zone, workspace.currency)
    last = published_date(workspace.snapshots, as_of)
    dates = [day for day in workspace.snapshots.dates() if last - timedelta(days=days) < day <= last]
    if len(dates) < 2:
        raise WorkspaceError("at least two published days are needed; 'keepwell backfill' computes and publishes more")
    try:
        found = replay(play, _read(workspace, dates, playbook_names(model, name), progress))
    except ReplayError as error:
        raise WorkspaceError(str(error)) from None
    return budget(play, found, dates[0], dates[-1], capacity or _of_model(model.settings.values.get(_CAPACITY)))


def _read(
    workspace: Workspace, dates: Sequence[date], names: frozenset[str], progress: Callable[[int, int], None] | None
) -> Iterator[DayFacts]:
    for number, day in enumerate(dates, 1):
        yield day_facts(workspace.snapshots, day, names)
        if progress is not None:
            progress(number, len(dates))


def _of_model(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None
