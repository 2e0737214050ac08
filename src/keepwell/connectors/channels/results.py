"""What became of a sending: it left, it may work later, or it never will."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sent:
    """The other side took it; `provider_id` is its name for it there."""

    provider_id: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Retry:
    """It did not work and may work later; `after` are the seconds that the other side asked to wait for.

    What was not `tried` at all is no attempt: it waits for these seconds, and no more is said of it.
    """

    why: str
    after: float | None = None
    tried: bool = True


@dataclass(frozen=True)
class GiveUp:
    """It will not work however often it is tried; `why` says what to do."""

    why: str


Result = Sent | Retry | GiveUp
