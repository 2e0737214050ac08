"""What pages and programs read of playbooks at work: figures of each, and the runs that a person may see."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Case, Count, Q, QuerySet, When

from keepwell.services.team.playing.seen import only_seen
from keepwell.store.models import PlaybookHeldOut, PlaybookRun, PlaybookSwitch

Seen = Collection[str] | None
STATES: Final = ("running", "ended", "succeeded", "answered")
_STATES: Final = {
    "running": Q(ended_at__isnull=True),
    "ended": Q(ended_at__isnull=False),
    "succeeded": Q(success=True),
    "answered": Q(responded_at__isnull=False),
}


@dataclass(frozen=True)
class PlaybookFigures:
    """How a playbook goes, over the customers whom somebody sees."""

    started: int = 0
    running: int = 0
    done: int = 0
    answered: int = 0
    succeeded: int = 0
    held_out: int = 0

    @property
    def response_rate(self) -> float | None:
        """The share of all runs in which the customer answered; None before the first."""
        return self.answered / self.started if self.started else None

    @property
    def success_rate(self) -> float | None:
        """The share of ended runs that reached the goal; None before the first end."""
        return self.succeeded / self.done if self.done else None


NO_FIGURES: Final = PlaybookFigures()


def playbook_figures(seen: Seen, playbook: str = "") -> dict[str, PlaybookFigures]:
    """The figures of every playbook that ever ran, or of one, by name."""
    runs, held = only_seen(PlaybookRun.objects.all(), seen), only_seen(PlaybookHeldOut.objects.all(), seen)
    if playbook:
        runs, held = runs.filter(playbook=playbook), held.filter(playbook=playbook)
    counted: dict[str, dict[str, Any]] = {row["playbook"]: row for row in _counted(runs)}
    out: dict[str, int] = dict(held.values_list("playbook").annotate(Count("pk")).order_by())
    return {name: _figures(counted.get(name, {}), out.get(name, 0)) for name in {*counted, *out}}


def _counted(runs: "QuerySet[PlaybookRun]") -> Any:
    return (
        runs.values("playbook")
        .annotate(
            started=Count("pk"),
            running=Count("pk", filter=_STATES["running"]),
            done=Count("pk", filter=_STATES["ended"]),
            answered=Count("responded_at"),
            succeeded=Count("pk", filter=_STATES["succeeded"]),
        )
        .order_by()
    )


def _figures(row: dict[str, Any], held_out: int) -> PlaybookFigures:
    return PlaybookFigures(**{name: row[name] for name in row if name != "playbook"}, held_out=held_out)


def switches() -> dict[str, PlaybookSwitch]:
    """The switch of every playbook that was ever switched, by name."""
    return {one.playbook: one for one in PlaybookSwitch.objects.select_related("changed_by")}


def runs_of(
    seen: Seen, *, playbook: str = "", customer_id: str = "", state: str = "", find: str = ""
) -> "QuerySet[PlaybookRun]":
    """Runs, those that go on first, the newest first: of a playbook, of a customer, in one of STATES, of a company."""
    runs = only_seen(PlaybookRun.objects.all(), seen)
    if playbook:
        runs = runs.filter(playbook=playbook)
    if customer_id:
        runs = runs.filter(customer_id=customer_id)
    if state in _STATES:
        runs = runs.filter(_STATES[state])
    for word in find.split():
        runs = runs.filter(Q(company__icontains=word) | Q(customer_id__icontains=word))
    goes_on = Case(When(ended_at__isnull=True, then=0), default=1)
    return runs.order_by(goes_on, "-started_at", "-pk")
