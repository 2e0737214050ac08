"""What people set in the workspace: when the daily run begins, the week's capacity, how large an upload may be."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any, Final

from django.db import transaction

from keepwell.model.problems import DefinitionError
from keepwell.services.planning.sources import current_model
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.capacity import DEFAULT
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import WorkspaceSetting

LARGER_FILES: Final = "larger files are loaded on the server with 'keepwell load'."
RUN_TIME: Final = time(9, 0)
UPLOAD_MB: Final = 200
MOST_TOUCHPOINTS: Final = 100_000
MOST_UPLOAD_MB: Final = 1_000
"""What the web server takes in one request (see `site.launch`); `keepwell load` knows no limit."""
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class SettingError(Exception):
    """A setting that is refused; the message says what it may be."""


@dataclass(frozen=True)
class TeamSettings:
    """The settings of the workspace, with their defaults filled in."""

    run_time: time
    daily_runs: bool
    weekly_touchpoints: int
    upload_mb: int


def team_settings(workspace: Workspace) -> TeamSettings:
    """The settings as they are now; one query."""
    found: dict[str, Any] = dict(WorkspaceSetting.objects.values_list("name", "value"))
    touchpoints = found.get("weekly_touchpoints")
    return TeamSettings(
        run_time=time.fromisoformat(found.get("run_time") or f"{RUN_TIME:%H:%M}"),
        daily_runs=bool(found.get("daily_runs", True)),
        weekly_touchpoints=int(touchpoints) if touchpoints is not None else capacity_of_model(workspace),
        upload_mb=min(int(found.get("upload_mb") or UPLOAD_MB), MOST_UPLOAD_MB),
    )


def capacity_of_model(workspace: Workspace) -> int:
    """The week's touchpoints that the model names, else 250: a team of two."""
    try:
        named = current_model(workspace).model.settings.values.get("weekly_capacity")
    except (DefinitionError, WorkspaceError):
        named = None
    return int(named) if isinstance(named, int | float) and named > 0 else DEFAULT


@transaction.atomic
def settings_change(
    who: Actor,
    workspace: Workspace,
    *,
    run_time: str,
    daily_runs: bool,
    weekly_touchpoints: int,
    upload_mb: int,
    now: datetime,
) -> TeamSettings:
    """Change the settings; what was not changed is not written. Raises SettingError."""
    if not _TIME.fullmatch(run_time):
        raise SettingError(f"The time of the daily run is like 09:00, not “{run_time}”.")
    if not 0 < weekly_touchpoints <= MOST_TOUCHPOINTS:
        raise SettingError(f"Touchpoints a week are a number from 1 to {MOST_TOUCHPOINTS:,}.")
    if not 0 < upload_mb <= MOST_UPLOAD_MB:
        raise SettingError(f"The largest upload is a number of megabytes from 1 to {MOST_UPLOAD_MB:,}; {LARGER_FILES}")
    before = team_settings(workspace)
    after = TeamSettings(time.fromisoformat(run_time), daily_runs, weekly_touchpoints, upload_mb)
    changed = {name: value for name, value in _plain(after).items() if _plain(before)[name] != value}
    for name, value in changed.items():
        WorkspaceSetting.objects.update_or_create(name=name, defaults={"value": value})
    if changed:
        record(
            who,
            at=now,
            action="settings.changed",
            kind="settings",
            object_id="workspace",
            summary="Changed " + ", ".join(name.replace("_", " ") for name in changed),
            before={name: _plain(before)[name] for name in changed},
            after=changed,
        )
    return after


def _plain(settings: TeamSettings) -> dict[str, Any]:
    return {**asdict(settings), "run_time": f"{settings.run_time:%H:%M}"}
