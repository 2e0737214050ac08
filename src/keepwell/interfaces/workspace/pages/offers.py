"""Offers: what is under way, one of them with its link and its history, and a new one for a customer."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from keepwell.interfaces.workspace.offer_forms import OfferForm, presets, proposal_of, to_whom
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, customer_or_404, page
from keepwell.services.published import PortfolioRow, customers_named
from keepwell.services.team.access import Action, may
from keepwell.services.team.offering.kinds import KINDS, kind_of, terms_words
from keepwell.services.team.offering.listing import offer_history, offers_owners
from keepwell.services.team.offering.policies import policies_now
from keepwell.services.team.offers import (
    TOLD,
    OfferQuery,
    OfferRefused,
    closed_words,
    offer_accept,
    offer_decline,
    offer_make,
    offer_url,
    offer_withdraw,
    offers_found,
    offers_totals,
)
from keepwell.store.models import Offer

PAGE: Final = 50
COLORS: Final = {
    "asked": "yellow",
    "refused": "gray",
    "open": "lime",
    "accepted": "green",
    "declined": "red",
    "expired": "gray",
    "withdrawn": "gray",
    "done": "green",
}
VERBS: Final = ("accepted", "declined", "withdrawn")


class WhichForm(forms.Form):
    """Which offers to list."""

    q = forms.CharField(required=False, max_length=200)
    state = forms.ChoiceField(required=False, choices=[("", "Under way"), *Offer.State.choices, ("all", "All")])
    kind = forms.ChoiceField(
        required=False, choices=[("", "All kinds"), *((kind.name, kind.label) for kind in KINDS.values())]
    )
    owner = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, owners: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(name or "-", name or "No owner") for name in owners]
        self.fields["owner"].choices = [("", "All owners"), *names]  # type: ignore[attr-defined]
        for name in ("state", "kind", "owner"):
            self.fields[name].widget.attrs = {"class": "form-select", "data-submit": "", "aria-label": name.title()}

    def query(self) -> OfferQuery:
        """As the service takes it; what cannot be used is left out."""
        self.is_valid()
        given = self.cleaned_data
        named = {name: given.get(name, "") for name in ("state", "kind", "owner")}
        return OfferQuery(search=given.get("q", ""), **named)


@require_GET
@page(Action.SEE)
def offers(request: PageRequest) -> HttpResponse:
    """What is under way in figures, and the list."""
    form = WhichForm(request.GET, owners=offers_owners(request.user))
    query = form.query()
    shown = Paginator(offers_found(request.user, query), PAGE).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    known = {
        "shown": shown,
        "lines": [(one, kind_of(one.kind).label, terms_words(one.kind, one.terms)) for one in shown],
        "kept": kept.urlencode(),
        "form": form,
        "query": query,
        "filtered": query != OfferQuery(),
        "totals": offers_totals(request.user, request.now),
        "colors": COLORS,
        "currency": request.workspace.currency,
    }
    return render(request, f"workspace/offers/{'table' if request.htmx else 'list'}.html", known)


@require_GET
@page(Action.SEE)
def offer(request: PageRequest, pk: int) -> HttpResponse:
    """One offer: what it is, where it stands, its link, and what was done."""
    return _shown(request, _offer_or_404(request, pk))


@require_http_methods(["GET", "POST"])
@page(Action.WORK)
def offer_new(request: PageRequest, customer_id: str) -> HttpResponse:
    """Offer something to a customer."""
    row = customers_named(request.workspace, [customer_or_404(request, customer_id)]).get(customer_id)
    if row is None:
        raise Http404
    if request.method == "GET":
        first = to_whom(request.workspace, customer_id)
        return _form(request, row, OfferForm(initial={"to_name": first.name, "to_email": first.address}))
    form = OfferForm(request.POST)
    if not form.is_valid():
        return _form(request, row, form, status=422)
    try:
        made = offer_make(acting(request), request.workspace, row, proposal_of(form), request.now)
    except OfferRefused as refused:
        form.add_error(None, str(refused))
        return _form(request, row, form, status=422)
    if made.state == Offer.State.ASKED:
        messages.success(request, f"Asked for approval. {row.name} hears of it once somebody has said yes.")
    else:
        messages.success(request, f"Offered to {row.name}.{_how_it_leaves(made)}")
    return redirect("offer", made.pk)


@require_POST
@page(Action.WORK)
def offer_change(request: PageRequest, pk: int, verb: str) -> HttpResponse:
    """What the customer said to a colleague, or taking it back."""
    if verb not in VERBS:
        raise Http404
    found, said = _offer_or_404(request, pk), request.POST
    name, note = said.get("name", "")[:255], said.get("note", "")[:2000]
    who, now = acting(request), request.now
    try:
        if verb == "withdrawn":
            number = said.get("version", "")
            version = int(number) if number.isdecimal() and len(number) < 10 else 0
            done = offer_withdraw(who, found.pk, version=version, why=note, now=now)
        else:
            answer = offer_accept if verb == "accepted" else offer_decline
            done = answer(who, request.workspace, found.pk, name=name, note=note, how=TOLD, now=now)
    except OfferRefused as refused:
        again = _offer_or_404(request, pk)
        return _shown(request, again, problem=str(refused), name=name, note=note, status=422)
    messages.success(request, f"{done.title} for {done.company}: {done.get_state_display().lower()}.")
    return redirect("offer", pk)


def _offer_or_404(request: PageRequest, pk: int) -> Offer:
    chosen = Offer.objects.select_related("offered_by", "run", "approval__decided_by", "task")
    found = chosen.filter(pk=pk).first()
    if found is None:
        raise Http404
    customer_or_404(request, found.customer_id)
    return found


def _how_it_leaves(made: Offer) -> str:
    return f" The message to {made.to_email} is in the outbox." if made.to_email else " Hand over the link below."


def _form(request: PageRequest, row: PortfolioRow, form: OfferForm, status: int = 200) -> HttpResponse:
    policies = policies_now()
    known = {
        "row": row,
        "form": form,
        "rules": presets(request.user, policies),
        "currency": request.workspace.currency,
    }
    return render(request, "workspace/offers/new.html", known, status=status)


def _shown(
    request: PageRequest, one: Offer, *, problem: str = "", name: str = "", note: str = "", status: int = 200
) -> HttpResponse:
    is_open = one.state == Offer.State.OPEN and not closed_words(one, request.now)
    known = {
        "one": one,
        "kind": kind_of(one.kind),
        "amounts": terms_words(one.kind, one.terms),
        "open": is_open,
        "waits": one.state == Offer.State.ASKED,
        "url": offer_url(one) if is_open else "",
        "color": COLORS[one.state],
        "history": offer_history(one),
        "can_work": may(request.user, Action.WORK),
        "problem": problem,
        "name": name or one.to_name,
        "note": note,
        "currency": request.workspace.currency,
    }
    return render(request, "workspace/offers/one.html", known, status=status)
