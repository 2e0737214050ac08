"""One change of several alerts: what can be done is done, and of the rest it is said why not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keepwell.services.team.alerting.alerts import AlertRefused, Seen
from keepwell.store.models import Alert


@dataclass(frozen=True)
class NotDone:
    """An alert that was left as it was."""

    alert: int
    title: str
    why: str


@dataclass(frozen=True)
class ManyChanged:
    """What became of a change of several alerts."""

    done: Sequence[Alert]
    not_done: Sequence[NotDone]

    @property
    def problem(self) -> str:
        """What is wrong with the change itself: nothing was done, and each alert refused it for the same reason."""
        reasons = {one.why for one in self.not_done}
        return next(iter(reasons)) if not self.done and len(reasons) == 1 else ""


def change_many(alerts: Sequence[Seen], change: Callable[[list[Seen]], list[Alert]]) -> ManyChanged:
    """Do the same with each, one after the other and each in a transaction of its own."""
    titles = dict(Alert.objects.filter(pk__in=[one.pk for one in alerts]).values_list("pk", "title"))
    done: list[Alert] = []
    not_done: list[NotDone] = []
    for one in dict.fromkeys(alerts):
        try:
            done += change([one])
        except AlertRefused as refused:
            not_done.append(NotDone(one.pk, titles.get(one.pk, ""), str(refused)))
    return ManyChanged(done, not_done)
