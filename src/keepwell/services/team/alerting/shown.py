"""What pages and programs read of alerts: the list of a person in its order, counts, and one with its history."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When

from keepwell.services.team.access import rows_in, scope_of
from keepwell.store.models import Alert, AlertMark, Person, Role

PAGE: Final = 50
OPEN, LATE, TAKEN, SNOOZED, RESOLVED = "open", "late", "taken", "snoozed", "resolved"
SHOWN: Final = (OPEN, LATE, TAKEN, SNOOZED, RESOLVED)
MINE, ALL = "mine", "all"
MARKS: Final = 200
_RANK: Final = Case(
    *(When(severity=name, then=Value(place)) for place, name in enumerate(Alert.Severity.values)),
    default=Value(9),
    output_field=IntegerField(),
)
_FIRST_DUE: Final = ("rank", F("due_at").asc(nulls_last=True), F("money").desc(nulls_last=True), "pk")


@dataclass(frozen=True)
class AlertQuery:
    """What to show. `who` is "mine", "all" or a person's number; left empty it is what the role looks at first."""

    show: str = OPEN
    who: str = ""
    severity: str = ""
    rule: str = ""
    customer_id: str = ""
    search: str = ""
    page: int = 1

    @property
    def filtered(self) -> bool:
        """Whether something is left out."""
        return replace(self, page=1, show=OPEN) != AlertQuery()


@dataclass(frozen=True)
class AlertCounts:
    """How many there are for a person, whatever the filters say."""

    open: int
    late: int
    taken: int
    snoozed: int


@dataclass(frozen=True)
class AlertList:
    """A page of alerts; `rules` are those that there is any of."""

    items: Sequence[Alert]
    total: int
    counts: AlertCounts
    rules: Sequence[str]
    query: AlertQuery
    who: str

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // PAGE))


def visible_alerts(person: Person) -> "QuerySet[Alert]":
    """The alerts of customers whom a person sees, and those that were given to it."""
    scope = scope_of(person)
    if scope.owners is None:
        return Alert.objects.all()
    return Alert.objects.filter(rows_in(scope) | Q(assignee=person))


def alert_list(person: Person, query: AlertQuery, now: datetime) -> AlertList:
    """A person's alerts; the same number of queries however many there are."""
    seen = visible_alerts(person)
    who = query.who or (MINE if person.role == Role.CSM else ALL)
    mine = seen.filter(_whose(person, who))
    found = _filtered(mine.filter(_shown(query.show, now)), query)
    order: tuple[Any, ...] = ("-resolved_at", "-pk") if query.show == RESOLVED else _FIRST_DUE
    first = (max(1, query.page) - 1) * PAGE
    ordered = found.annotate(rank=_RANK).select_related("assignee", "acknowledged_by").order_by(*order)
    rules = mine.filter(_shown(query.show, now)).order_by().values_list("rule", flat=True).distinct()
    return AlertList(list(ordered[first : first + PAGE]), found.count(), _counts(mine, now), sorted(rules), query, who)


def open_of_customer(customer_id: str) -> list[Alert]:
    """What is open for a customer, the worst first; the caller has checked who may see it."""
    found = Alert.objects.filter(customer_id=customer_id).exclude(state=Alert.State.RESOLVED)
    return list(found.annotate(rank=_RANK).select_related("assignee", "acknowledged_by").order_by(*_FIRST_DUE))


def waiting_for(person: Person) -> int:
    """How many alerts wait for somebody to take them up: of one's own for a CSM, of all whom one sees for others."""
    who = MINE if person.role == Role.CSM else ALL
    return visible_alerts(person).filter(_whose(person, who), state=Alert.State.OPEN).count()


def history_of(found: Alert) -> list[AlertMark]:
    """What happened to an alert, the newest first."""
    return list(found.marks.select_related("person").order_by("-at", "-pk")[:MARKS])


def earlier_of(found: Alert) -> list[Alert]:
    """The last alerts of the same rule and customer."""
    same = Alert.objects.filter(rule=found.rule, customer_id=found.customer_id).exclude(pk=found.pk)
    return list(same.order_by("-opened_at")[:5])


def _whose(person: Person, who: str) -> Q:
    if who == ALL:
        return Q()
    if who.isdecimal() and len(who) < 19:
        other = Person.objects.filter(pk=int(who)).first()
        return Q(pk__in=()) if other is None else _own(other)
    return _own(person)


def _own(person: Person) -> Q:
    own = Q(owner_email__in=person.owner_emails) | (Q(owner_email="") if person.role == Role.CSM else Q())
    return Q(assignee=person) | (Q(assignee=None) & own)


def _shown(show: str, now: datetime) -> Q:
    return {
        LATE: Q(state=Alert.State.OPEN, due_at__lt=now),
        TAKEN: Q(state=Alert.State.ACKNOWLEDGED),
        SNOOZED: Q(state=Alert.State.SNOOZED),
        RESOLVED: Q(state=Alert.State.RESOLVED),
    }.get(show, Q(state=Alert.State.OPEN))


def _filtered(alerts: "QuerySet[Alert]", query: AlertQuery) -> "QuerySet[Alert]":
    for name in ("severity", "rule", "customer_id"):
        if value := getattr(query, name):
            alerts = alerts.filter(**{name: value})
    for word in query.search.split()[:8]:
        alerts = alerts.filter(Q(company__icontains=word) | Q(title__icontains=word) | Q(customer_id__iexact=word))
    return alerts


def _counts(alerts: "QuerySet[Alert]", now: datetime) -> AlertCounts:
    names = (OPEN, LATE, TAKEN, SNOOZED)
    found = alerts.exclude(state=Alert.State.RESOLVED)
    return AlertCounts(**found.aggregate(**{name: Count("pk", filter=_shown(name, now)) for name in names}))
