"""The form of an offer, and what the rules of the workspace let a person write into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms

from keepwell.services.published import NothingPublished
from keepwell.services.team.offering.kinds import KINDS, UNITS, amount_words
from keepwell.services.team.offering.making import MOST_DAYS, OPEN_DAYS
from keepwell.services.team.offering.policies import NOBODY, Policy, outranks
from keepwell.services.team.offers import Proposal
from keepwell.services.team.outbox.recipients import Addressee, account_of, recipients
from keepwell.services.workspace import Workspace
from keepwell.store.models import Person

_TEXT: Final = {"class": "form-control"}
_NUMBER: Final = {"class": "form-control", "inputmode": "decimal"}


@dataclass(frozen=True)
class Rule:
    """What a person may do with a kind of offer: in words, and which fields it has."""

    name: str
    label: str
    units: str
    words: str
    allowed: bool


class OfferForm(forms.Form):
    """What is offered, to whom, and until when. Amounts are only those of the kind."""

    kind = forms.ChoiceField(
        label="What",
        choices=[(kind.name, kind.label) for kind in KINDS.values()],
        widget=forms.RadioSelect,
    )
    title = forms.CharField(
        label="What the customer reads",
        max_length=255,
        widget=forms.TextInput(attrs=_TEXT | {"placeholder": "A pause of two months"}),
    )
    percent = forms.DecimalField(label="Percent", required=False, min_value=0, max_value=100, decimal_places=1)
    months = forms.IntegerField(label="Months", required=False, min_value=1, max_value=12)
    sessions = forms.IntegerField(label="Sessions", required=False, min_value=1, max_value=20)
    days = forms.IntegerField(label="Days", required=False, min_value=1, max_value=365)
    grace_days = forms.IntegerField(label="Days of grace", required=False, min_value=1, max_value=365)
    worth = forms.DecimalField(label="What it costs us", required=False, min_value=0, max_digits=15, decimal_places=2)
    terms = forms.CharField(
        label="Terms", required=False, max_length=2000, widget=forms.Textarea(attrs=_TEXT | {"rows": 2})
    )
    open_days = forms.IntegerField(label="Days open", initial=OPEN_DAYS, min_value=1, max_value=MOST_DAYS)
    to_name = forms.CharField(label="Name", required=False, max_length=255)
    to_email = forms.CharField(label="E-mail", required=False, max_length=320)
    note = forms.CharField(
        label="A word to the customer",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs=_TEXT | {"rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name != "kind":
                field.widget.attrs = {
                    **(_NUMBER if name in (*UNITS, "worth", "open_days") else _TEXT),
                    **field.widget.attrs,
                }
        for name in (*UNITS, "worth", "open_days"):
            self.fields[name].widget.input_type = "text"


def proposal_of(form: OfferForm) -> Proposal:
    """What a valid form says, as the service takes it."""
    given = form.cleaned_data
    units = {unit: _number(given.get(unit)) for unit in KINDS[given["kind"]].units}
    return Proposal(
        kind=given["kind"],
        title=given["title"],
        terms={**units, "terms": given["terms"]},
        days=given["open_days"],
        to_name=given["to_name"],
        to_email=given["to_email"],
        note=given["note"],
        worth=given["worth"],
    )


def _number(value: Any) -> float | int | None:
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


def to_whom(workspace: Workspace, customer_id: str) -> Addressee:
    """Who decides at a customer."""
    try:
        account = account_of(workspace, customer_id, frozenset())
    except NothingPublished:
        return Addressee("")
    found = recipients(workspace, account, "decision_maker") if account else ()
    return found[0] if found else Addressee("")


def presets(person: Person, policies: Mapping[str, Policy]) -> list[Rule]:
    """What the rules say about each kind, for one person."""
    return [_rule(name, person, policies[name]) for name in KINDS]


def _rule(name: str, person: Person, policy: Policy) -> Rule:
    kind = KINDS[name]
    alone = policy.alone != NOBODY and outranks(person.role, policy.alone)
    allowed = policy.per_year > 0 and (alone or outranks(person.role, policy.asks))
    if not allowed:
        return Rule(name, kind.label, " ".join(kind.units), "not yours to offer", allowed)
    most = [amount_words(unit, policy.largest[unit]) for unit in kind.units]
    limits = [f"up to {' and '.join(most)}"] if most else []
    often = "once a year" if policy.per_year == 1 else f"{policy.per_year} times a year"
    words = [*limits, often, "at once" if alone else "after approval"]
    return Rule(name, kind.label, " ".join(kind.units), ", ".join(words), allowed)
