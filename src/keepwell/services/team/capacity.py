"""How much fits into a week, and how much of it is used."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from keepwell.model.definitions import Model
from keepwell.store.models import Outcome, Person, Role, WorkspaceSetting

DEFAULT: Final = 250
SETTING: Final = "weekly_touchpoints"
_OF_MODEL: Final = "weekly_capacity"


@dataclass(frozen=True)
class Week:
    """A week's touchpoints, Monday to Sunday: how many fit, how many are done. `whose` says of whom."""

    first: date
    capacity: int
    done: int
    whose: str

    @property
    def last(self) -> date:
        return self.first + timedelta(days=6)

    @property
    def left(self) -> int:
        """How many still fit."""
        return max(0, self.capacity - self.done)

    @property
    def percent(self) -> int:
        """The share that is used."""
        return min(100, round(100 * self.done / self.capacity)) if self.capacity else 100


def week_of(person: Person, *, model: Model, today: date, zone: ZoneInfo) -> Week:
    """The week of a person: a CSM has an even share of the team's capacity, everybody else looks at the whole team."""
    first = today - timedelta(days=today.weekday())
    began = datetime.combine(first, time.min, zone)
    logged = Outcome.objects.filter(logged_at__gte=began, logged_at__lt=began + timedelta(days=7))
    capacity = weekly_capacity(model)
    if person.role != Role.CSM:
        return Week(first, capacity, logged.count(), "the team")
    people = Person.objects.filter(role=Role.CSM, is_active=True).count()
    return Week(first, capacity // max(1, people), logged.filter(logged_by=person).count(), "you")


def weekly_capacity(model: Model) -> int:
    """Touchpoints that fit into a week: as set in the workspace, else as the model says, else 250."""
    chosen = WorkspaceSetting.objects.filter(name=SETTING).values_list("value", flat=True).first()
    for value in (chosen, model.settings.values.get(_OF_MODEL)):
        if isinstance(value, int | float) and value > 0:
            return int(value)
    return DEFAULT
