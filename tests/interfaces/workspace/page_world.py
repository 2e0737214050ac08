"""A workspace in which every page has something to show, and the addresses of these things."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from keepwell.services.loading import load_files
from keepwell.services.planning.apply import apply_model
from keepwell.services.planning.sources import current_hash, current_model, model_sources
from keepwell.services.published import PortfolioQuery, PortfolioRow, portfolio_rows, publish_copies, quarantine_rows
from keepwell.services.published.tickets import tickets_known
from keepwell.services.team.audit import actor
from keepwell.services.team.demo_people import demo_people_make
from keepwell.services.team.jobs import job_enqueue
from keepwell.services.team.links import invite
from keepwell.services.team.notes import note_add
from keepwell.services.team.offering.sending import offer_token
from keepwell.services.team.outbox.tokens import unsubscribe_url
from keepwell.services.team.people import SCOPES, make_token
from keepwell.services.team.playing.switches import switch
from keepwell.services.team.saved import save_view
from keepwell.services.team.surveys.links import token_of
from keepwell.services.team.tasks import open_tasks_from_run
from keepwell.services.workspace import Workspace
from keepwell.store.models import (
    Alert,
    Escalation,
    Job,
    Offer,
    Opportunity,
    Outgoing,
    Person,
    SurveyInvitation,
    Task,
    WebhookTarget,
    WorkspaceSegment,
    WorkspaceSetting,
)
from tests.playbook_rows import question_of, run_of
from tests.web import LAST, NOW

OF_DATA = frozenset({"data_row", "data_rows", "data_quarantine", "data_identities", "data_loads"})
OF_MODEL = frozenset({"model_version", "model_roll_back", "model_history"})
"""Pages whose things are in the workspace with faults; those of all others are in the published one."""


def someones(workspace: Workspace) -> PortfolioRow:
    """A customer that has an owner."""
    return next(row for row in portfolio_rows(workspace, PortfolioQuery()) if row.owner_email)


def at_work(workspace: Workspace) -> dict[str, Any]:
    """The people of a demo and the tasks of the day; returns two CSMs, each with a customer that has a task."""
    demo_people_make(owners_of(workspace), now=NOW)
    # A worker that is late would run the day beside the journey.
    WorkspaceSetting.objects.update_or_create(name="daily_runs", defaults={"value": False})
    open_tasks_from_run(workspace, as_of=LAST, now=NOW, job=None)
    found: dict[str, dict[str, Any]] = {}
    for task in Task.objects.exclude(owner_email="").order_by("priority", "pk"):
        csm = next(one for one in Person.objects.filter(role="csm") if task.owner_email in one.owner_aliases)
        found.setdefault(csm.email, {"email": csm.email, "task": task.pk, "title": task.title})
    return {"csms": list(found.values())}


def switched_on(workspace: Workspace) -> dict[str, Any]:
    """The people of a demo, every playbook switched on, and a key for programs; a customer and who looks after it."""
    demo_people_make(owners_of(workspace), now=NOW)
    WorkspaceSetting.objects.update_or_create(name="daily_runs", defaults={"value": False})
    ops, one = Person.objects.get(role="ops"), someones(workspace)
    for name in current_model(workspace).model.playbooks:
        switch(actor(ops), workspace, name, True, NOW)
    _, secret = make_token(actor(ops), ops, name="The product", scopes=["ingest"], days=30, now=NOW)
    csm = next(who for who in Person.objects.filter(role="csm") if one.owner_email in who.owner_aliases)
    return {"customer": one.customer_id, "company": one.name, "csm": csm.email, "key": secret}


def owners_of(workspace: Workspace) -> list[str]:
    """Whose customers there are."""
    return sorted({row.owner_email for row in portfolio_rows(workspace, PortfolioQuery()) if row.owner_email})


def furnished(workspace: Workspace) -> dict[str, Any]:
    """People, work, faults in the data and a changed model in one workspace; returns what its addresses need."""
    demo_people_make(owners_of(workspace), now=NOW)
    WorkspaceSetting.objects.update_or_create(name="daily_runs", defaults={"value": False})
    bad = workspace.root / "tickets_late.csv"
    bad.write_text("ticket_id,customer_id,created_at\nx-1,C_00001,2026-06-01\nx-2,c-00001,soon\nx-3,c-00001,later\n")
    load_files(workspace, paths=[bad], now=NOW)
    publish_copies(workspace)
    admin = Person.objects.filter(role="admin").first()
    assert admin is not None
    things = published_things(workspace, admin)
    faulty = faulty_things(workspace)
    return {**things, **faulty, "": {**things[""], **faulty[""]}}


def published_things(workspace: Workspace, person: Person) -> dict[str, dict[str, Any]]:
    """Arguments of addresses by their names; "" is for all that are not named."""
    who, one = actor(person), someones(workspace)
    open_tasks_from_run(workspace, as_of=LAST, now=NOW, job=None)
    task = Task.objects.filter(customer_id=one.customer_id).first() or Task.objects.first()
    assert task is not None
    note = note_add(who, customer_id=one.customer_id, text="They like it.", now=NOW)
    view = save_view(who, person, page="portfolio", name="Mine", query={}, shared=False, now=NOW)
    job, _ = job_enqueue(who, kind=Job.Kind.DAILY, key=str(LAST), now=NOW, as_of=LAST)
    token, _ = make_token(who, person, name="script", scopes=list(SCOPES), days=None, now=NOW)
    secret = invite(who, email="new@example.com", name="New", role="csm", team=None, now=NOW)
    segment = WorkspaceSegment.objects.create(
        name="large", label="Large", definition="when: mrr > 100\n", owner=person, made_at=NOW, changed_at=NOW
    )
    run = run_of(current_model(workspace).model, "revenue_at_risk", one, until="ask")
    named = {
        "playbook": run.pk, "approval": question_of(run, one).pk,
        "task": task.pk, "job": job.pk, "person": person.pk, "portfolio_view": view.pk, "customer_note": note.pk,
        "token_revoke": token.pk, **_of_outbox(one.customer_id),
    }  # fmt: skip
    shared = {"customer_id": one.customer_id, "secret": secret, "name": segment.name}
    found: dict[str, dict[str, Any]] = {name: {**shared, "pk": pk} for name, pk in named.items()}
    found["playbook"] |= {"name": run.playbook, "message": "executive_letter"}
    offer = offer_open(one)
    found |= {"offer": {"pk": offer.pk}, "offer_answer": {"token": offer_token(offer)}}
    of_tasks = {name: {"?": f"id={task.pk}"} for name in ("tasks_snooze", "tasks_assign")}
    return {
        **found,
        **of_tasks,
        **_of_mail(),
        **_of_pipeline(one),
        **_of_alerts(one),
        **_of_surveys(one),
        **_of_support(workspace),
        "": shared,
        "model_file": {"name": next(iter(model_sources(workspace)))},
    }


def offer_open(one: PortfolioRow) -> Offer:
    """An open offer, whose page shows a form."""
    about = {"customer_id": one.customer_id, "company": one.name, "owner_email": one.owner_email or ""}
    said = {"kind": "trial", "title": "Try it", "terms": {"days": 9}, "state": "open", "made_at": NOW}
    until = NOW + timedelta(days=9)
    return Offer.objects.create(key="an offer", opened_at=NOW, expires_at=until, **about, **said)


def _of_outbox(customer_id: str) -> dict[str, int]:
    """A message with a look of its own, and a target of webhooks."""
    target = WebhookTarget.objects.create(name="DWH", url="https://x.example/", secret="whsec_x", made_at=NOW)  # noqa: S106
    about = {"channel": "email", "audience": "customer", "subject": "Hello", "made_at": NOW, "due_at": NOW}
    row = Outgoing.objects.create(key="hello", customer_id=customer_id, html="<p>Hello</p>", text="Hello", **about)
    return {"outgoing": row.pk, "webhook": target.pk}


def _of_pipeline(one: PortfolioRow) -> dict[str, dict[str, Any]]:
    """An opportunity, and what may be done with it."""
    about = {
        "company": one.name,
        "owner_email": one.owner_email or "",
        "signal": "seats",
        "title": "More people than seats",
    }
    row = Opportunity.objects.create(
        customer_id=one.customer_id, value=100, period="month", opened_on=LAST, opened_at=NOW, seen_on=LAST, **about
    )
    return {"opportunity": {"pk": row.pk, "verb": "contacted"}}


def _of_support(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """A ticket, and an escalation with it."""
    ticket = tickets_known(workspace, NOW)[-1].ticket_id
    about = {"pattern": "bug", "subject": "Login", "title": "Login", "document": "# Login", "team": "product"}
    figures = {"why": "10 tickets", "plans": {}, "mrr": 10.0, "at_risk": 0}
    one = Escalation.objects.create(tickets=[ticket], figures=figures, opened_at=NOW, changed_at=NOW, **about)
    shown = {"support_ticket": {"ticket_id": ticket}, "support_ticket_change": {"ticket_id": ticket}}
    moved = {"pk": one.pk, "verb": "filed"}
    return {**shown, "escalation": moved, "escalation_change": moved}


def _of_surveys(one: PortfolioRow) -> dict[str, dict[str, Any]]:
    """An answered invitation with words, and an item of a checklist."""
    about = {"customer_id": one.customer_id, "company": one.name, "address": "ada@acme.example", "kind": "nps"}
    said = {"score": 9, "answered_at": NOW, "comment": "It works.", "trigger": "Every 90 days"}
    moments = {"sent_at": NOW, "expires_at": NOW + timedelta(days=9)}
    row = SurveyInvitation.objects.create(key="asked", survey="quarterly_nps", **about, **said, **moments)
    survey = {"name": row.survey}
    return {
        "survey": survey,
        "survey_switch": survey,
        "survey_answer": {"token": token_of(row.pk)},
        "checklist_tick": {"name": "daily", "item": "queue"},
    }


def _of_alerts(one: PortfolioRow) -> dict[str, dict[str, Any]]:
    """An alert that is open."""
    about = {"company": one.name, "owner_email": one.owner_email or "", "rule": "usage_cliff", "title": "Usage fell"}
    row = Alert.objects.create(
        customer_id=one.customer_id, severity="high", what="3 events", since=NOW, opened_at=NOW, last_at=NOW, **about
    )
    many = {name: {"?": f"seen={row.pk}:1"} for name in ("alerts_snooze", "alerts_assign", "alerts_resolve")}
    return {"alert": {"pk": row.pk}, **many}


def _of_mail() -> dict[str, dict[str, Any]]:
    """The link to unsubscribe in some message."""
    row = Outgoing.objects.order_by("pk").first()
    return {"mail_unsubscribe": {"token": unsubscribe_url(row.key).rpartition("/")[2]}} if row else {}


def faulty_things(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """The same for the workspace with faults, whose model was changed once."""
    sources = dict(model_sources(workspace))
    name = next(iter(sources))
    sources[name] += "\n# Looked at.\n"
    apply_model(workspace, sources, who="somebody", why="to see it", at=NOW, expected_hash=current_hash(workspace))
    return {"data_row": {"key": quarantine_rows(workspace).rows[0].key}, "": {"version": 1}}


@dataclass
class Faults(HTMLParser):
    """What the policy of the pages refuses, and forms that could not be sent."""

    found: list[str] = field(default_factory=list)
    links: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._inside = ""
        self._form: dict[str, str | None] | None = None
        self._token = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        given = dict(attrs)
        self.found += [f"<{tag} {name}>" for name in given if name == "style" or name.startswith("on")]
        self.found += [f"<{tag} {n}={v!r}>" for n, v in attrs if (v or "").strip().lower().startswith("javascript:")]
        # A frame in which nothing is allowed shows how a message looks.
        sealed = tag == "iframe" and given.get("sandbox") == "" and (given.get("src") or "").startswith("/")
        framing = tag in ("iframe", "object", "embed") and not sealed
        self.found += ["<style>"] * (tag == "style") + [f"<{tag}>"] * framing
        self._inside = "script" if tag == "script" and given.get("type") != "application/json" else ""
        if tag == "form":
            self._form, self._token = given, False
        if tag == "input" and given.get("name") == "csrfmiddlewaretoken":
            self._token = True
        if tag == "a":
            self.links.add(given.get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        """Look at a form as a whole."""
        self._inside = ""
        if tag == "form" and self._form is not None:
            posts = (self._form.get("method") or "get").lower() == "post"
            if posts and not self._token:
                self.found.append(f"a form without its token: {self._form.get('action')}")
            self._form = None

    def handle_data(self, data: str) -> None:
        """Look at a script's text."""
        if self._inside == "script" and data.strip():
            self.found.append(f"<script> with {data.strip()[:40]!r}")


def faults_of(html: str) -> Iterator[str]:
    """What is wrong with a page."""
    parser = Faults()
    parser.feed(html)
    parser.close()
    yield from parser.found
