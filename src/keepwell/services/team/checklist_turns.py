"""Data tick checklists every few minutes, whether or not somebody looks."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from keepwell.services.published import NothingPublished
from keepwell.services.team.checklists import tick_from_data
from keepwell.services.workspace import Workspace

EVERY: Final = timedelta(minutes=5)
_looked: dict[str, datetime] = {}


def checklist_turn(here: Workspace, now: datetime, _worker: str = "") -> int:
    """Look at what the data say, every five minutes; how many items they ticked."""
    last = _looked.get(str(here.root))
    if last is not None and abs(now - last) < EVERY:
        return 0
    _looked[str(here.root)] = now
    try:
        return tick_from_data(here, now.astimezone(ZoneInfo(here.zone)).date(), now)
    except NothingPublished:
        return 0
