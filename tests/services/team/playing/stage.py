"""A small workspace with playbooks of the test's own, customers by hand, and a clock that jumps."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from keepwell.playbooks.events import Effect, Happened
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.simulate import DayOf
from keepwell.services.team.audit import Actor
from keepwell.services.team.outbox.queue import put
from keepwell.services.team.playing.days import DayStarted, day_arrived
from keepwell.services.team.playing.happenings import happened
from keepwell.services.team.playing.known import Known
from keepwell.services.team.playing.plays import plays_of
from keepwell.services.team.playing.switches import switch
from keepwell.services.team.playing.turn import playing_turn
from keepwell.services.workspace import Workspace, workspace_open
from keepwell.store.models import Channel, Happening, Outgoing, PlaybookRun, PlaybookTimer
from tests.playbooks.plays import MODEL, MONDAY

WHO = Actor("ops@example.com")
BEGINNING = """
p:
  label: Ladder
  trigger: {signal: quiet}
  stop_on: [reply, outcome]
  steps:
    - {name: mail, email: hello}
    - {name: pause, wait: 24h}
    - {name: call, task: "Call {company}", within: 4h}
    - {name: ask, approval: "Offer {company} a pause?", within: 2d, refused: end}
"""
"""A message, a call a day later, and a question; tests add what comes after a yes."""
FIELDS = ("key", "kind", "step", "at", "due", "details")


def workspace_with(root: Path, playbooks: str, *, calendar: str = "", zone: str = "UTC") -> Workspace:
    """A workspace folder whose model has these playbooks, written as below `playbooks:`."""
    model = root / "model"
    model.mkdir(parents=True, exist_ok=True)
    (root / "keepwell.toml").write_text(f'[workspace]\nname = "Stage"\ntimezone = "{zone}"\n', encoding="utf-8")
    text = MODEL + "playbooks:\n" + indent(dedent(playbooks).strip("\n"), "  ") + "\n"
    text += f"calendar: {calendar}\n" if calendar else ""
    (model / "model.yaml").write_text(text, encoding="utf-8")
    return workspace_open(root)


def known(company: str = "Acme", *, owner: str = "ann@example.com", **changes: Any) -> Known:
    """A quiet customer in danger."""
    values = {"company": company, "owner_email": owner, "logins": 0.0}
    about = {"values": values, "segments": frozenset({"danger"}), "signals": frozenset({"quiet"})}
    facts = Facts(MONDAY.date(), **(about | changes))
    return Known(facts, company, owner, segment="danger")


def plain_message(workspace: Workspace, effect: Effect, run: PlaybookRun, now: datetime, **_: object) -> list[Outgoing]:
    """One row for the customer, with the message's name in place of its words."""
    name = str(effect.details["message"])
    row = put(
        now,
        key=effect.key,
        channel=str(effect.details.get("channel", "email")),
        audience=Channel.Audience.CUSTOMER,
        customer_id=run.customer_id,
        company=run.company,
        run=run,
        step=effect.step,
        message=name,
        subject=name,
        text=f"{name} for {run.company} of {workspace.name}",
        address=f"{run.customer_id}@customer.example",
        payload={"contact": effect.key},
    )
    return [row]


def nobody(workspace: Workspace, effect: Effect, run: PlaybookRun, now: datetime, **_: object) -> list[Outgoing]:
    """A customer that nobody can be written to."""
    return []


@dataclass
class Stage:
    """The workspace, the moment, and what is known of the customers."""

    workspace: Workspace
    now: datetime = MONDAY
    customers: dict[str, Known] = field(default_factory=lambda: {"c1": known()})
    compose: Any = plain_message
    worker: str = "w1"

    def look(self, customers: Collection[str], names: Collection[str]) -> Mapping[str, Known]:
        """Those that are asked for and known."""
        return {name: self.customers[name] for name in customers if name in self.customers}

    def turn(self, limit: int = 200) -> int:
        """Turns of the worker until there is nothing left to do."""
        done = 0
        while found := playing_turn(
            self.workspace, self.now, worker=self.worker, limit=limit, look=self.look, compose=self.compose
        ):
            done += found
        return done

    def on(self, *names: str) -> "Stage":
        """Switch playbooks on."""
        for name in names:
            switch(WHO, self.workspace, name, True, self.now)
        return self

    def start(self, name: str = "p", customer: str = "c1") -> PlaybookRun:
        """Start a playbook as the day does, and play the turn."""
        key = f"start:{name}:{customer}:{self.now.isoformat()}"
        happened(customer, "start", name=name, key=key, at=self.now, data={"by": "a test", "trigger": True})
        self.turn()
        run = self.run(name, customer)
        assert run is not None
        return run

    def run(self, name: str = "p", customer: str = "c1") -> PlaybookRun | None:
        """The newest run."""
        return PlaybookRun.objects.filter(playbook=name, customer_id=customer).order_by("-entry").first()

    def after(self, **length: float) -> "Stage":
        """Let time pass; the worker wakes at every timer on the way."""
        until = self.now + timedelta(**length)
        while True:
            due = PlaybookTimer.objects.filter(due_at__lte=until).order_by("due_at").first()
            if due is None or due.due_at < self.now:
                break
            self.now = due.due_at
            self.turn()
        self.now = until
        self.turn()
        return self

    def happens(self, kind: Happened, name: str = "", customer: str = "c1", **more: Any) -> None:
        """Something happens, and the turn is played."""
        key = f"{kind}:{name}:{customer}:{self.now.isoformat()}:{Happening.objects.count()}"
        happened(customer, kind, name=name, key=key, at=self.now, **more)
        self.turn()

    def day(self, as_of: date, facts: Mapping[str, Facts], before: Mapping[str, Facts] | None = None) -> DayStarted:
        """A published day arrives, after the one before it."""
        earlier = None if before is None else DayOf(as_of - timedelta(days=1), before)
        self.customers = {
            name: Known(fact, str(fact.values.get("company", name)), str(fact.values.get("owner_email") or ""))
            for name, fact in facts.items()
        }
        return day_arrived(plays_of(self.workspace), earlier, DayOf(as_of, facts), self.now)

    def knows(self, customer: str = "c1", **changes: Any) -> "Stage":
        """From now on something else is known of a customer."""
        there = self.customers[customer]
        self.customers[customer] = replace(there, facts=replace(there.facts, **changes))
        return self


def at(day: int, hour: int = 10, minute: int = 0) -> datetime:
    """A moment in March 2026; the second is a Monday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)
