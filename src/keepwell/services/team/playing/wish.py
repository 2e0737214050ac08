"""One effect with everything that is needed to do it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from keepwell.playbooks.events import Effect
from keepwell.services.team.playing.desk import Desk
from keepwell.services.team.playing.known import Known
from keepwell.services.team.playing.plays import Kept
from keepwell.services.workspace import Workspace
from keepwell.store.models import Person, PlaybookRun

Result = Mapping[str, Any]
"""What came of an effect, for links: {"task": 12}, or {"refused": "nobody has this address"}."""


@dataclass(frozen=True)
class Wish:
    """An effect of a run."""

    desk: Desk
    run: PlaybookRun
    kept: Kept
    effect: Effect

    @property
    def now(self) -> datetime:
        """The moment of the turn."""
        return self.desk.now

    @property
    def today(self) -> date:
        """The day it is in the workspace."""
        return self.now.astimezone(ZoneInfo(self.workspace.zone)).date()

    @property
    def workspace(self) -> Workspace:
        return self.desk.workspace

    @property
    def known(self) -> Known | None:
        """What the newest day says of the customer."""
        return self.desk.known.get(self.run.customer_id)

    @property
    def owner_email(self) -> str:
        """The customer's owner."""
        return self.desk.owner_email(self.run.customer_id)

    def person(self, role: str) -> Person | None:
        """Who has a role for this customer."""
        return self.desk.people.of(role, self.owner_email)
