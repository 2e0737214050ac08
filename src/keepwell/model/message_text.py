"""The templates of messages: which fields there are, what a template uses, and how it is filled in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from liquid import BoundTemplate, Environment

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "customer": ("company", "customer_id", "domain", "plan", "industry", "country", "renewal_date", "mrr", "arr"),
    "person": ("first_name", "name", "email", "title", "role"),
    "owner": ("first_name", "name", "email", "phone", "calendar_link"),
    "sender": ("first_name", "name", "email", "title"),
    "offer": ("title", "terms", "url", "expires_on", "months", "percent", "sessions", "days", "grace_days"),
    "playbook": ("label", "started_on", "reason"),
    "link": ("product", "calendar", "survey", "unsubscribe"),
}
"""What a message can name besides `customer.METRIC` and `setting.NAME`."""
TAGS: Final = frozenset({"if", "unless", "case", "for", "assign", "capture", "comment", "break", "continue", "#"})
"""No template reads another file, and none draws HTML."""


@dataclass(frozen=True)
class Use:
    """A field, filter or tag in a template, with the place of the expression that has it."""

    kind: Literal["field", "filter", "tag"]
    name: str
    at: int
    known: tuple[str, ...] = ()


class _Bounded(Environment):
    """No template, however written, runs away with the worker."""

    loop_iteration_limit = 10_000
    output_stream_limit = 1_000_000


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The one environment: no files, bounded loops, unknown filters refused."""
    return _Bounded(strict_filters=True)


@lru_cache(maxsize=1024)
def template(text: str) -> BoundTemplate:
    """A template read once; raises LiquidError."""
    return environment().from_string(text)


def liquid_uses(text: str) -> tuple[Use, ...]:
    """What a template uses, in reading order; raises LiquidError for one that cannot be read."""
    if "{{" not in text and "{%" not in text:
        return ()
    found = template(text).analyze(include_partials=False)
    filters = tuple(environment().filters)
    uses = [
        *(Use("field", _dotted(v.segments), v.span.index) for vs in found.globals.values() for v in vs),
        *(Use("filter", name, span.index, filters) for name, spans in found.filters.items() for span in spans),
        *(Use("tag", name, span.index) for name, spans in found.tags.items() for span in spans),
    ]
    return tuple(sorted(uses, key=lambda use: (use.at, use.kind, use.name)))


def _dotted(segments: Iterable[Any]) -> str:
    return ".".join(str(part) if isinstance(part, str | int) else "?" for part in segments)
