"""The kinds of offers: what each is about, in words and in units, and what there is to do once one is accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MONTHS: Final = "months"
PERCENT: Final = "percent"
SESSIONS: Final = "sessions"
DAYS: Final = "days"
GRACE: Final = "grace_days"
UNITS: Final[Mapping[str, tuple[str, float]]] = {
    MONTHS: ("Months", 12),
    PERCENT: ("Percent", 100),
    SESSIONS: ("Sessions", 20),
    DAYS: ("Days", 365),
    GRACE: ("Days of grace", 365),
}
"""What an offer is measured in: the label, and what no workspace can go beyond."""
LONGEST_PAUSE: Final = 3


@dataclass(frozen=True)
class OfferKind:
    """One kind. `units` are what it can say, the first of them the one that it must say when `measured`."""

    name: str
    label: str
    noun: str
    units: tuple[str, ...] = ()
    measured: bool = True
    steps: tuple[str, ...] = ()


_TOLD: Final = "Tell the customer that it is done"
KINDS: Final[Mapping[str, OfferKind]] = {
    kind.name: kind
    for kind in (
        OfferKind(
            "pause",
            "Payment pause",
            "a pause",
            (MONTHS,),
            steps=("Pause the subscription in billing", "Note the day on which payments start again", _TOLD),
        ),
        OfferKind(
            "downgrade",
            "Smaller plan with a period of grace",
            "a downgrade",
            (GRACE,),
            steps=("Change the plan in billing", "Keep today's features until the grace ends", _TOLD),
        ),
        OfferKind(
            "discount",
            "Discount",
            "a discount",
            (PERCENT, MONTHS),
            steps=("Enter the discount in billing", "Note the day on which it ends", _TOLD),
        ),
        OfferKind(
            "free_months",
            "Free months",
            "free months",
            (MONTHS,),
            steps=("Credit the months in billing", _TOLD),
        ),
        OfferKind(
            "free_sessions",
            "Free sessions",
            "free sessions",
            (SESSIONS,),
            steps=("Agree on the dates", "Hold the sessions"),
        ),
        OfferKind("trial", "Trial of a plan", "a trial", (DAYS,), steps=("Switch the trial on", _TOLD)),
        OfferKind(
            "dedicated_support",
            "Dedicated support",
            "dedicated support",
            (MONTHS, SESSIONS),
            measured=False,
            steps=("Name the person who is there for them", _TOLD),
        ),
        OfferKind("preview", "Preview", "a preview", (DAYS,), steps=("Switch the preview on", _TOLD)),
        OfferKind("custom", "Something else", "an offer of this kind", measured=False, steps=(_TOLD,)),
    )
}
OTHER: Final = KINDS["custom"]


def kind_of(name: str) -> OfferKind:
    """A kind by its name; what no one knows any more is something else."""
    return KINDS.get(name, OTHER)


def ceiling(kind: OfferKind, unit: str) -> float:
    """What no workspace can go beyond for a kind."""
    return LONGEST_PAUSE if kind.name == "pause" else UNITS[unit][1]


def amount_words(unit: str, amount: float) -> str:
    """An amount as people say it: 3 months, 20 %."""
    number = f"{amount:g}"
    if unit == PERCENT:
        return f"{number} %"
    one, many = {
        MONTHS: ("month", "months"),
        SESSIONS: ("session", "sessions"),
        DAYS: ("day", "days"),
        GRACE: ("day of grace", "days of grace"),
    }[unit]
    return f"{number} {one if amount == 1 else many}"


def terms_words(kind: str, terms: Mapping[str, Any]) -> str:
    """The amounts of an offer in one line; empty where it has none."""
    found = [amount_words(unit, terms[unit]) for unit in kind_of(kind).units if terms.get(unit) is not None]
    return " for ".join(found) if kind == "discount" else ", ".join(found)
