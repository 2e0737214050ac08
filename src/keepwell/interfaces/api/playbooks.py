"""Playbooks at work: how they go, their budgets and switches, runs, and questions that wait for a yes."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Long, Name, Pk, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.playbook_bodies import (
    ApprovalBody,
    BudgetBody,
    ComparisonBody,
    PlaybookBody,
    PlaybookDetail,
    RunBody,
    RunDetail,
    StepBody,
)
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import APPROVE, READ, SWITCH, WORK, ApiRequest, acting, seen_customer
from keepwell.interfaces.workspace.pages.approvals import waiting_for
from keepwell.interfaces.workspace.pages.playbooks import PlaybookLine, playbook_lines
from keepwell.interfaces.workspace.playbook_steps import steps_shown
from keepwell.model.definitions import Model
from keepwell.services.published import PortfolioQuery, portfolio_rows
from keepwell.services.team.access import may_see_customer, scope_of
from keepwell.services.team.playing.answering import Answering, offers_asked
from keepwell.services.team.playing.approvals import approval_decide
from keepwell.services.team.playing.beginning import StartRefused
from keepwell.services.team.playing.budgets import budget_ask, budget_of
from keepwell.services.team.playing.comparing import playbook_compared
from keepwell.services.team.playing.definitions import playbook_model
from keepwell.services.team.playing.many import start_for_many
from keepwell.services.team.playing.seen import customers_seen, only_seen
from keepwell.services.team.playing.shown import playbook_figures, runs_of
from keepwell.services.team.playing.starts import start_by_hand, stop_run
from keepwell.services.team.playing.switching import playbook_off, playbook_on
from keepwell.services.team.playing.timelines import run_timeline
from keepwell.store.models import Approval, PlaybookRun

router = Router(tags=["Playbooks"])
runs = Router(tags=["Playbooks"])
approvals = Router(tags=["Approvals"])

RunState = Literal["running", "ended", "succeeded", "answered"]
ApprovalState = Literal["open", "given", "refused", "expired", "gone"]


class SwitchBody(Schema):
    """On, once its budget was seen; or off, with what becomes of its runs."""

    on: bool
    runs: Literal["keep", "stop"] = Field("keep", description="When it goes off: runs go on to their end, or stop.")


class StartBody(Schema):
    """For whom to start it."""

    customer_id: Word


class ManyBody(Schema):
    """For whom: the customers of a segment, of those whom the token's person sees; without one, all of these."""

    segment: Word | None = None


class AskedBody(Schema):
    """For how many it was asked; who may not enter yet does not begin, and who is held out neither."""

    customers: int


class DecideBody(Schema):
    """The answer."""

    approve: bool
    note: Long = ""


@router.get("", response={200: list[PlaybookBody], **PROBLEMS}, auth=READ)
def list_playbooks(request: ApiRequest) -> Any:
    """All playbooks with how they go, over the customers whom the token's person sees."""
    seen = customers_seen(request.workspace, request.user)
    lines = playbook_lines(playbook_model(request.workspace), playbook_figures(seen))
    return [PlaybookBody.of(line) for line in lines]


@router.get("/{name}", response={200: PlaybookDetail, **PROBLEMS}, auth=READ)
def get_playbook(request: ApiRequest, name: Name) -> Any:
    """One playbook with its steps in words."""
    model = playbook_model(request.workspace)
    line = _line(request, model, name)
    steps = [StepBody.of(step) for step in steps_shown(model, model.playbooks[name])]
    found = playbook_compared(request.workspace, name, customers_seen(request.workspace, request.user))
    return PlaybookDetail(**PlaybookBody.of(line).dict(), steps=steps, comparison=ComparisonBody.of(found))


@router.post("/{name}/switch", response={200: PlaybookBody, **PROBLEMS}, auth=SWITCH, openapi_extra=KEYED)
@idempotent
def switch_playbook(request: ApiRequest, name: Name, body: SwitchBody) -> Any:
    """Switch it on or off; 409 while nobody can have seen its budget."""
    model = playbook_model(request.workspace)
    _line(request, model, name)
    if body.on:
        playbook_on(acting(request), request.workspace, name, request.now)
    else:
        playbook_off(acting(request), request.workspace, name, stop=body.runs == "stop", now=request.now)
    return PlaybookBody.of(_line(request, model, name))


@router.get("/{name}/budget", response={200: BudgetBody, **PROBLEMS}, auth=SWITCH)
def get_playbook_budget(request: ApiRequest, name: Name) -> Any:
    """What it would have asked of the team over the past 90 days, once that was asked for."""
    model = playbook_model(request.workspace)
    _line(request, model, name)
    return BudgetBody.of(budget_of(request.workspace, model, name))


@router.post("/{name}/budget", response={202: BudgetBody, **PROBLEMS}, auth=SWITCH, openapi_extra=KEYED)
@idempotent
def replay_playbook(request: ApiRequest, name: Name) -> Any:
    """Have the worker replay it over the published days of the past 90 days."""
    model = playbook_model(request.workspace)
    _line(request, model, name)
    budget_ask(acting(request), request.workspace, name, request.now)
    return Status(202, BudgetBody.of(budget_of(request.workspace, model, name)))


@router.get("/{name}/runs", response={200: Page[RunBody], **PROBLEMS}, auth=READ)
def list_playbook_runs(
    request: ApiRequest, name: Name, limit: Limit, offset: Offset, state: RunState | None = None
) -> Any:
    """Its runs, those that go on first, the newest first."""
    found = runs_of(customers_seen(request.workspace, request.user), playbook=name, state=state or "")
    shown = [RunBody.of(run) for run in found[offset : offset + limit]]
    return page_of(shown, found.count(), limit, offset)


@router.post("/{name}/runs", response={201: RunBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def start_playbook(request: ApiRequest, name: Name, body: StartBody) -> Any:
    """Start it for a customer by hand, whether it is switched on or not."""
    _line(request, playbook_model(request.workspace), name)
    try:
        run = start_by_hand(acting(request), name, seen_customer(request, body.customer_id), request.now)
    except StartRefused as refused:
        raise Problem(409, "Not possible", f"Not started: the customer {refused}.") from None
    return Status(201, RunBody.of(run))


@router.post("/{name}/start-many", response={202: AskedBody, **PROBLEMS}, auth=APPROVE, openapi_extra=KEYED)
@idempotent
def start_playbook_for_many(request: ApiRequest, name: Name, body: ManyBody) -> Any:
    """Start it for a segment, once it is switched on; the runs begin within seconds."""
    _line(request, playbook_model(request.workspace), name)
    segments = () if body.segment is None else (body.segment,)
    rows = portfolio_rows(request.workspace, PortfolioQuery(segments=segments, scope=scope_of(request.user)))
    customers, group = [row.customer_id for row in rows], body.segment or "everybody"
    asked = start_for_many(acting(request), request.workspace, name, customers, group, request.now)
    return Status(202, AskedBody(customers=asked))


@runs.get("/{int:run_id}", response={200: RunDetail, **PROBLEMS}, auth=READ)
def get_run(request: ApiRequest, run_id: Pk) -> Any:
    """One run: what was done, what came of it, what is waited for."""
    run = _run(request, run_id)
    return RunDetail.told(run, run_timeline(run))


@runs.post("/{int:run_id}/stop", response={200: RunBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def stop_playbook_run(request: ApiRequest, run_id: Pk) -> Any:
    """Stop a run: nothing that it waits for happens any more."""
    run = _run(request, run_id)
    if run.ended_at is not None:
        raise Problem(409, "Not possible", "This run has ended already.")
    return RunBody.of(stop_run(acting(request), run, request.now))


@approvals.get("", response={200: Page[ApprovalBody], **PROBLEMS}, auth=READ)
def list_approvals(
    request: ApiRequest, limit: Limit, offset: Offset, state: Annotated[ApprovalState, Query()] = "open"
) -> Any:
    """Questions that wait, the most urgent first; or those with another state, the newest first."""
    found = waiting_for(request.workspace, request.user)[0]
    if state != "open":
        closed = only_seen(Approval.objects.filter(state=state), customers_seen(request.workspace, request.user))
        found = closed.order_by("-decided_at", "-pk")
    shown = found.select_related("decided_by")[offset : offset + limit]
    return page_of(_questions(request, shown), found.count(), limit, offset)


@approvals.get("/{int:approval_id}", response={200: ApprovalBody, **PROBLEMS}, auth=READ)
def get_approval(request: ApiRequest, approval_id: Pk) -> Any:
    """One question, answered or not."""
    return _questions(request, [_approval(request, approval_id)])[0]


@approvals.post(
    "/{int:approval_id}/decide", response={200: ApprovalBody, **PROBLEMS}, auth=APPROVE, openapi_extra=KEYED
)
@idempotent
def decide_approval(request: ApiRequest, approval_id: Pk, body: DecideBody) -> Any:
    """Approve or refuse, once; the playbook goes on within moments."""
    _approval(request, approval_id)
    decided = approval_decide(acting(request), approval_id, body.approve, body.note, request.now)
    return _questions(request, [decided])[0]


def _questions(request: ApiRequest, found: Iterable[Approval]) -> list[ApprovalBody]:
    answering, listed = Answering(), list(found)
    offers = offers_asked(listed)
    return [ApprovalBody.of(one, answering.why_not(request.user, one, offers[one.pk])) for one in listed]


def _line(request: ApiRequest, model: Model, name: str) -> PlaybookLine:
    if name not in model.playbooks:
        raise Problem(404, "Not found", "The model has no such playbook.")
    figures = playbook_figures(customers_seen(request.workspace, request.user), name)
    return next(line for line in playbook_lines(model, figures) if line.name == name)


def _run(request: ApiRequest, run_id: int) -> PlaybookRun:
    run = PlaybookRun.objects.filter(pk=run_id).first()
    if run is None or not may_see_customer(request.user, run.customer_id):
        raise Problem(404, "Not found", "There is no such run, or this token may not see it.")
    return run


def _approval(request: ApiRequest, approval_id: int) -> Approval:
    found = Approval.objects.filter(pk=approval_id).select_related("decided_by").first()
    if found is None or not may_see_customer(request.user, found.customer_id):
        raise Problem(404, "Not found", "There is no such question, or this token may not see it.")
    return found
