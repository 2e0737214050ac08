"""What a plan says: figures of a model change, as plain data."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from keepwell.model.diff import Change
from keepwell.reporting.plain import Plain

Direction = Literal["up", "down", "lateral"]
BUCKET: Final = 10
SHIFTS: Final[tuple[tuple[int | None, int | None], ...]] = (
    (None, -20),
    (-19, -10),
    (-9, -5),
    (-4, -1),
    (0, 0),
    (1, 4),
    (5, 9),
    (10, 19),
    (20, None),
)


@dataclass(frozen=True)
class Move(Plain):
    """Customers who go from one band or segment to another. `arr` is what is known of their yearly revenue."""

    before: str
    after: str
    direction: Direction
    customers: int
    arr: float


@dataclass(frozen=True)
class Bucket(Plain):
    """How many customers have a score from `low` to `high`, both included."""

    low: int
    high: int
    before: int
    after: int


@dataclass(frozen=True)
class ShiftBucket(Plain):
    """How many customers' score changes by `low` to `high` points; None is without limit."""

    low: int | None
    high: int | None
    customers: int


@dataclass(frozen=True)
class NamedCount(Plain):
    """How many customers are in a band or segment."""

    name: str
    before: int
    after: int


@dataclass(frozen=True)
class ScoreShift(Plain):
    """One score before and after. `bands` lists changes only; `unknown` counts customers without a score."""

    name: str
    label: str
    kind: str
    bands: tuple[Move, ...]
    band_counts: tuple[NamedCount, ...]
    histogram: tuple[Bucket, ...]
    shifts: tuple[ShiftBucket, ...]
    mean_before: float | None
    mean_after: float | None
    unknown_before: int
    unknown_after: int
    coverage_before: float | None
    coverage_after: float | None


@dataclass(frozen=True)
class ArrAffected(Plain):
    """Yearly revenue of the customers who change band or segment, each counted once, and how many there are."""

    up: float
    down: float
    lateral: float
    total: float
    customers_up: int
    customers_down: int
    customers_lateral: int


@dataclass(frozen=True)
class TaskOpening(Plain):
    """Tasks that a change of segment, or a signal that is new, would open."""

    kind: Literal["segment", "signal"]
    name: str
    label: str
    play: str
    title: str
    customers: int
    arr: float


@dataclass(frozen=True)
class SignalShift(Plain):
    """A signal before and after: for how many it is on, and for how many it goes on and off."""

    name: str
    label: str
    before: int
    after: int
    on: int
    off: int


@dataclass(frozen=True)
class ChangedCustomer(Plain):
    """One customer who changes; scores are those of the health score, or the first there is."""

    customer_id: str
    name: str
    owner_email: str
    arr: float | None
    score_before: int | None
    score_after: int | None
    band_before: str
    band_after: str
    segment_before: str
    segment_after: str
    direction: Direction


@dataclass(frozen=True)
class ReplayWeek(Plain):
    """Seven days replayed (the last week may be shorter): tasks opened, segments changed, customers who differ."""

    first: date
    last: date
    tasks_before: int
    tasks_after: int
    moves_before: int
    moves_after: int
    differing: int


@dataclass(frozen=True)
class PlayCount(Plain):
    """How many tasks of a play the replay opens."""

    play: str
    before: int
    after: int


@dataclass(frozen=True)
class Replay(Plain):
    """Past days under both models. `differing` customers have another band or segment on some day."""

    first: date
    last: date
    days: int
    weeks: tuple[ReplayWeek, ...]
    plays: tuple[PlayCount, ...]
    tasks_before: int
    tasks_after: int
    per_week_before: float
    per_week_after: float
    differing: int


@dataclass(frozen=True)
class ModelPlan(Plain):
    """What a model change would do, on the last published date and replayed over the days before."""

    as_of: date
    before_name: str
    after_name: str
    before_hash: str
    after_hash: str
    changes: tuple[Change, ...]
    customers: int
    changed: int
    arr: ArrAffected
    scores: tuple[ScoreShift, ...]
    segments: tuple[Move, ...]
    segment_counts: tuple[NamedCount, ...]
    signals: tuple[SignalShift, ...]
    tasks: tuple[TaskOpening, ...]
    replay: Replay | None
    top: tuple[ChangedCustomer, ...]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON; changes carry their sentence as `text`."""
        data = super().as_dict()
        return data | {"changes": [{"text": str(change), **vars(change)} for change in self.changes]}

    def to_json(self) -> str:
        """The plan as JSON; the same models, data and date give the same text."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=2, allow_nan=False)
