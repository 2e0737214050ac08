"""The approval inbox: questions that wait for a yes, with what is known of the customer and what happens then."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.interfaces.workspace.playbook_runs_shown import asked_words
from keepwell.interfaces.workspace.playbook_steps import StepShown, steps_shown
from keepwell.interfaces.workspace.playbook_words import COMPANY
from keepwell.model.step_definitions import END
from keepwell.services.published import PortfolioRow, customers_named
from keepwell.services.team.access import Action, may, may_see_customer
from keepwell.services.team.playing.answering import Answering, offers_asked
from keepwell.services.team.playing.approvals import ApprovalRefused, approval_decide, approvals_for
from keepwell.services.team.playing.definitions import definition_of
from keepwell.services.team.playing.seen import customers_seen, only_seen
from keepwell.services.workspace import Workspace
from keepwell.store.models import Approval, Offer, Person, PlaybookRun

DECIDED: Final = 15
WAITING: Final = 100
NAMED: Final = 3


@dataclass(frozen=True)
class Asked:
    """A question with everything that somebody needs to answer it; `then` says what follows from either answer."""

    approval: Approval
    row: PortfolioRow | None
    role: str
    then: tuple[tuple[str, str], ...]
    offers: tuple[Offer, ...]
    overdue: bool
    why_not: str
    who: tuple[str, ...]

    @property
    def mine(self) -> bool:
        """Whether the person who looks may answer; else `why_not` says why, and `who` may."""
        return not self.why_not

    @property
    def others(self) -> str:
        """The names of those who may answer, in words."""
        names = list(self.who[:NAMED])
        left = len(self.who) - NAMED
        names += [f"{left} other{'s' if left > 1 else ''}"] if left > 0 else []
        return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


@require_GET
@page(Action.SEE)
def approvals(request: PageRequest) -> HttpResponse:
    """All questions that wait, and those that were answered lately."""
    return _inbox(request)


@require_GET
@page(Action.SEE)
def approval(request: PageRequest, pk: int) -> HttpResponse:
    """One question, answered or not."""
    found = _approval_or_404(request, pk)
    asked = next(_asked(request, [found]))
    return render(request, "workspace/approvals/approval.html", {"one": asked, "alone": True})


@require_POST
@page(Action.APPROVE)
def approval_answer(request: PageRequest, pk: int) -> HttpResponse:
    """Approve or refuse."""
    found = _approval_or_404(request, pk)
    answer = request.POST.get("answer", "")
    if answer not in ("yes", "no"):
        return _answered(request, pk, problem="Choose: approve or refuse.")
    note = request.POST.get("note", "")
    try:
        approval_decide(acting(request), found.pk, answer == "yes", note, request.now)
    except ApprovalRefused as refused:
        return _answered(request, pk, problem=str(refused))
    done = "Approved" if answer == "yes" else "Refused"
    then = "The playbook goes on within moments." if found.kind == "playbook" else _then_offer(answer == "yes")
    return _answered(request, pk, said=f"{done} for {found.company}. {then}")


def _then_offer(given: bool) -> str:
    return "The offer is open; its page has the link." if given else "Nothing is offered."


def _answered(request: PageRequest, pk: int, *, said: str = "", problem: str = "") -> HttpResponse:
    if request.htmx and request.htmx.target == "approvals":
        return _inbox(request, said=said, problem=problem)
    (messages.error if problem else messages.success)(request, problem or said)
    return redirect("approval", pk) if request.POST.get("alone") else redirect("approvals")


def _inbox(request: PageRequest, *, said: str = "", problem: str = "") -> HttpResponse:
    waiting, decides = waiting_for(request.workspace, request.user)
    asked = list(_asked(request, waiting[:WAITING]))
    parts = ([one for one in asked if one.mine], [one for one in asked if not one.mine])
    seen = customers_seen(request.workspace, request.user)
    closed = only_seen(Approval.objects.exclude(state=Approval.State.OPEN), seen).select_related("decided_by")
    known = {
        "parts": [(mine, part) for mine, part in zip((True, False), parts, strict=True) if part or mine is decides],
        "total": waiting.count(),
        "shown": len(asked),
        "closed": list(closed.order_by("-decided_at", "-pk")[:DECIDED]),
        "said": said,
        "problem": problem,
    }
    template = "inbox" if request.htmx else "list"
    return render(request, f"workspace/approvals/{template}.html", known, status=409 if problem else 200)


def waiting_for(workspace: Workspace, person: Person) -> "tuple[QuerySet[Approval], bool]":
    """The open questions that a person answers; for who answers none, those about the customers whom one sees."""
    if may(person, Action.APPROVE):
        return approvals_for(person), True
    seen = only_seen(Approval.objects.filter(state=Approval.State.OPEN), customers_seen(workspace, person))
    return seen.select_related("run").order_by("due_at", "asked_at", "pk"), False


def _approval_or_404(request: PageRequest, pk: int) -> Approval:
    found = Approval.objects.select_related("run", "decided_by").filter(pk=pk).first()
    if found is None or not may_see_customer(request.user, found.customer_id):
        raise Http404
    return found


def _asked(request: PageRequest, found: Iterable[Approval]) -> Iterator[Asked]:
    listed = list(found)
    rows = customers_named(request.workspace, [one.customer_id for one in listed])
    offers = offers_asked(listed)
    ways, answering = _Ways(request.workspace), Answering()
    for one in listed:
        about = offers[one.pk]
        is_open = one.state == Approval.State.OPEN
        why_not = answering.why_not(request.user, one, about)
        yield Asked(
            approval=one,
            row=rows.get(one.customer_id),
            role=asked_words(one.asked_role),
            then=tuple(ways.of(one)),
            offers=about,
            overdue=is_open and one.due_at is not None and one.due_at < request.now,
            why_not=why_not,
            who=tuple(person.shown_name for person in answering.who(one, about)) if is_open and why_not else (),
        )


class _Ways:
    """What follows from an answer; each version of a playbook is read once."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.steps: dict[tuple[str, str], dict[str, StepShown]] = {}

    def of(self, asked: Approval) -> Iterator[tuple[str, str]]:
        run = asked.run
        if run is None or asked.state != Approval.State.OPEN:
            return
        steps = self._steps(run)
        step = steps.get(run.step) or steps.get(str(run.state.get("step", "")))
        for one in step.exits if step is not None and step.kind == "approval" else ():
            to = "the playbook ends" if one.to == END else _then(steps[one.to])
            yield one.label, to.replace(COMPANY, asked.company)

    def _steps(self, run: PlaybookRun) -> dict[str, Any]:
        key = (run.playbook, run.version)
        if key not in self.steps:
            defined = definition_of(self.workspace, run)
            shown = steps_shown(defined.model, defined.playbook) if defined else ()
            self.steps[key] = {step.name: step for step in shown}
        return self.steps[key]


def _then(step: StepShown) -> str:
    return f"{step.kind_words.lower()} “{step.title.strip('“”')}”"
