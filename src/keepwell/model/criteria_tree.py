"""Criteria in one shape, whichever way they were written: tests of attributes, behaviour over time, and groups."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Value = bool | int | float | str
Values = Value | tuple[Value, ...] | None
Path = tuple[str, ...]
Comparison = Literal[">=", "<=", ">", "<", "=", "!="]

PREFIX: Final = "*"
"""At the end of an event's name it stands for every name that begins so; alone for every event."""


@dataclass(frozen=True)
class Group:
    """`all` hold, `any` holds, or the one item does `not`."""

    kind: Literal["all", "any", "not"]
    items: tuple["Criteria", ...]


@dataclass(frozen=True)
class Everyone:
    """Holds for everyone."""


@dataclass(frozen=True)
class PropertyTest:
    """One test of an attribute or of an event's property; lengths and moments in `value` are microseconds."""

    path: Path
    operator: str
    value: Values = None


@dataclass(frozen=True)
class AnyItem:
    """One item of a list meets the criteria, all of them on the same item."""

    path: Path
    match: "Criteria"


@dataclass(frozen=True)
class HeldFor:
    """An attribute has had this value without a break for a length of time."""

    path: Path
    value: Value
    comparison: Comparison
    length: int


@dataclass(frozen=True)
class Happening:
    """Events with a name, or with a beginning of a name, whose properties meet `where`."""

    name: str
    where: "Criteria | None" = None

    @property
    def prefix(self) -> str | None:
        """The beginning that names must have; None when the name is meant as it is."""
        return self.name[:-1] if self.name.endswith(PREFIX) else None


@dataclass(frozen=True)
class Counted:
    """So many events in (at - within, at], or from `since` on, or ever."""

    event: Happening
    comparison: Comparison = ">="
    count: int = 1
    within: int | None = None
    since: int | None = None


@dataclass(frozen=True)
class FirstTime:
    """The first event ever lies in (at - within, at]."""

    event: Happening
    within: int


@dataclass(frozen=True)
class Stopped:
    """Events in (at - within, at - quiet], or ever before at - quiet, and none in (at - quiet, at]."""

    event: Happening
    quiet: int
    within: int | None = None


@dataclass(frozen=True)
class Restarted:
    """Events in (at - within, at], none in the `quiet` time before that, and some earlier still."""

    event: Happening
    within: int
    quiet: int


@dataclass(frozen=True)
class Regularly:
    """In at least `minimum` of the last `total` periods the number of events compares as asked."""

    event: Happening
    period: int
    total: int
    minimum: int
    comparison: Comparison = ">="
    count: int = 1


@dataclass(frozen=True)
class InSequence:
    """One event after the other: the first in (at - within, at], each at most `gap` after the one before."""

    steps: tuple[Happening, ...]
    within: int | None = None
    gap: int | None = None


@dataclass(frozen=True)
class LastEvent:
    """The last event that `event` picks exists and meets `has`."""

    event: Happening
    has: "Criteria"
    within: int | None = None


@dataclass(frozen=True)
class Listed:
    """Is on a list that somebody keeps by hand."""

    name: str


@dataclass(frozen=True)
class OneOf:
    """Is one of these."""

    customers: tuple[str, ...]


@dataclass(frozen=True)
class InSegment:
    """Is in another segment, named or written out."""

    segment: "str | Criteria"


Behaviour = Counted | FirstTime | Stopped | Restarted | Regularly | InSequence | LastEvent
BEHAVIOUR: Final = (Counted, FirstTime, Stopped, Restarted, Regularly, InSequence, LastEvent)
Criteria = Group | Everyone | PropertyTest | AnyItem | HeldFor | Behaviour | Listed | OneOf | InSegment


def leaves(criteria: Criteria) -> Iterator[Criteria]:
    """Everything that is not a group, in reading order; segments that are written out are looked into."""
    if isinstance(criteria, Group):
        for item in criteria.items:
            yield from leaves(item)
    elif isinstance(criteria, InSegment) and not isinstance(criteria.segment, str):
        yield from leaves(criteria.segment)
    else:
        yield criteria


def happenings(behaviour: Behaviour) -> tuple[Happening, ...]:
    """The events that a behaviour is about."""
    return behaviour.steps if isinstance(behaviour, InSequence) else (behaviour.event,)
