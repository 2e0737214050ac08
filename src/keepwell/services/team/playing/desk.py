"""What a turn works with: the moment, the playbooks, the people, and what is known of the customers."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

from keepwell.model.playbook_definitions import EnteredTrigger, SignalTrigger
from keepwell.model.step_definitions import CONTACTS
from keepwell.playbooks.events import TO_CUSTOMER, Effect
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.machine import Moved
from keepwell.playbooks.state import State
from keepwell.services.team.outbox.compose import compose_message
from keepwell.services.team.playing.known import Known, Look, look_up
from keepwell.services.team.playing.plays import Kept, Plays, plays_of
from keepwell.services.team.playing.roles import People
from keepwell.services.team.playing.switches import switched_on
from keepwell.services.team.prepared import Prepared
from keepwell.services.workspace import Workspace
from keepwell.store.models import Channel, Outgoing, PlaybookEffect, PlaybookRun, PlaybookVersion

REMEMBERED: Final = 30
"""For so many days a message counts against the caps; for more where a cap looks back further."""
_LASTING: Final = (SignalTrigger, EnteredTrigger)
"""Triggers that a customer of whom nothing is known would seem to have lost."""
NOT_RECEIVED: Final = (Outgoing.State.CANCELLED, Outgoing.State.SUPPRESSED, Outgoing.State.DEAD)

Compose = Callable[[Workspace, Effect, PlaybookRun, datetime], list[Outgoing]]
"""Puts what a message effect asks for into the outbox; nothing when nobody can be written to."""

_ASKED: Final = Prepared(
    lambda customer, since, run: (
        PlaybookEffect.objects.filter(
            run__customer_id=customer, kind__in=[str(kind) for kind in TO_CUSTOMER], at__gte=since
        )
        .exclude(run=run)
        .exclude(result__has_key="refused")
        .only("at")
    ),
    customer=str,
    since=datetime,
    run=int,
)
"""What runs of a customer, but for one, sent or wanted to send to it."""
_OTHERS: Final = Prepared(
    lambda customer, since: (
        Outgoing.objects.filter(customer_id=customer, audience=Channel.Audience.CUSTOMER, run=None, made_at__gte=since)
        .exclude(state__in=NOT_RECEIVED)
        .only("due_at")
    ),
    customer=str,
    since=datetime,
)
"""What else it was sent."""


@dataclass
class Desk:
    """One turn's view of the workspace at the moment `now`."""

    workspace: Workspace
    plays: Plays
    now: datetime
    look: Look
    compose: Compose
    known: dict[str, Known] = field(default_factory=dict)

    @cached_property
    def people(self) -> People:
        """The people of the workspace."""
        return People()

    def read(self, customers: Collection[str], runs: Iterable[tuple[str, str]]) -> None:
        """Read what is known of customers whose runs are of these playbooks and versions."""
        old = {pair for pair in runs if not self._is_current(*pair)}
        names = self.plays.names.union(*(self.plays.version(*pair).names for pair in old))
        self.known.update(self.look(customers, names))

    def _is_current(self, playbook: str, version: str) -> bool:
        now = self.plays.current(playbook)
        return now is not None and now.play.version == version

    @cached_property
    def on(self) -> set[str]:
        """The playbooks that may start by themselves."""
        return switched_on()

    @cached_property
    def versions(self) -> set[tuple[str, str]]:
        """The playbooks and versions that are kept; none of them ever goes."""
        return set(PlaybookVersion.objects.values_list("playbook", "version"))

    def facts(self, customer_id: str) -> Facts | None:
        """What the newest day says of a customer, without the messages that it got."""
        known = self.known.get(customer_id)
        return known.facts if known else None

    def moved(
        self, customer_id: str, kept: Kept, run: PlaybookRun | None, move: Callable[[Facts | None], Moved]
    ) -> Moved:
        """A move by what is known of the customer. What others sent to it lately is looked up only where it counts."""
        facts = self.facts(customer_id)
        found = move(facts)
        sent = len(run.state["sent"]) if run is not None else 0
        counts = len(found[0].sent) > sent or _at_contact(kept, found[0])
        if not counts or (facts is None and isinstance(kept.play.playbook.trigger, _LASTING)):
            return found
        contacts = self._contacts(customer_id, kept, run)
        return move(replace(facts or Facts(self.now.date(), {"company": customer_id}), contacts=contacts))

    def _contacts(self, customer_id: str, kept: Kept, run: PlaybookRun | None) -> tuple[datetime, ...]:
        caps = (kept.play.playbook.cap, kept.play.workspace.cap)
        days = max([REMEMBERED, *(cap.per_days for cap in caps if cap)])
        since = self.now - timedelta(days=days)
        asked = _ASKED(customer=customer_id, since=since, run=run.pk if run is not None else 0)
        others = _OTHERS(customer=customer_id, since=since)
        return tuple(sorted([*(effect.at for effect in asked), *(row.due_at for row in others)]))

    def company(self, customer_id: str) -> str:
        """What people call the customer."""
        known = self.known.get(customer_id)
        return known.company if known else customer_id[:255]

    def owner_email(self, customer_id: str) -> str:
        """Under which address its owner is known; empty for nobody."""
        known = self.known.get(customer_id)
        return known.owner_email if known else ""


def _at_contact(kept: Kept, state: State) -> bool:
    """Whether a run waits to reach the customer."""
    return not state.ended and isinstance(kept.play.steps.get(state.step), CONTACTS)


def desk_of(
    workspace: Workspace, now: datetime, *, look: Look | None = None, compose: Compose = compose_message
) -> Desk:
    """A desk for one turn; `look` is another way to look customers up than by the newest published day."""
    return Desk(workspace, plays_of(workspace), now.astimezone(UTC), look or look_up(workspace), compose)
