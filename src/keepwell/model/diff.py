"""What changed between two models, key by key and in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from keepwell.model.behaviours import named_behaviours
from keepwell.model.columns import is_column
from keepwell.model.definitions import Model

ONE: Final = {
    "metrics": "metric",
    "scores": "score",
    "segments": "segment",
    "signals": "signal",
    "playbooks": "playbook",
    "messages": "message",
    "alerts": "alert",
    "surveys": "survey",
    "checklists": "checklist",
}
ABSENT: Final = object()


@dataclass(frozen=True)
class Change:
    """One difference. `before` or `after` is None where there is nothing; prints as a sentence."""

    path: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.path} added: {self.after}"
        if self.after is None:
            return f"{self.path} removed (was {self.before})"
        return f"{self.path} changed from {self.before} to {self.after}"


def diff_models(old: Model, new: Model) -> tuple[Change, ...]:
    """Every difference in content, in the order of the new model; defaults that are spelled out are none."""
    changes = list(_differences("", _content(old, new), _content(new, old)))
    return (*changes, *_order(old, new))


def _content(model: Model, other: Model) -> dict[str, Any]:
    """What is compared; a column or behaviour that only one model's conditions name is no difference."""
    content: dict[str, Any] = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    behaviours = named_behaviours(model)
    missing = {name: one for name, one in model.metrics.items() if name not in other.metrics}
    named = {name for name, one in missing.items() if is_column(name, one) or name in behaviours}
    metrics = {name: metric for name, metric in content.pop("metrics", {}).items() if name not in named}
    return content | ({"metrics": metrics} if metrics else {})


def _differences(path: str, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in (*new, *(key for key in old if key not in new)):
            yield from _differences(_below(path, str(key)), old.get(key, ABSENT), new.get(key, ABSENT))
    elif _named(old) and _named(new):
        yield from _differences(path, _by_name(old), _by_name(new))
    elif old != new:
        yield Change(path or "model", _words(old), _words(new))


def _below(path: str, key: str) -> str:
    if path in ONE:
        return f"{ONE[path]} {key}"
    return f"{path}: {key}" if path else key


def _named(value: Any) -> bool:
    """Lists of bands are compared by name, so that one more does not change all after it."""
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) and "name" in v for v in value)


def _by_name(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {entry["name"]: {k: v for k, v in entry.items() if k != "name"} for entry in entries}


def _words(value: Any) -> str | None:
    if value is ABSENT:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_words(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(str(_words(entry)) for entry in value) + "]"
    return str(value)


def _order(old: Model, new: Model) -> Iterator[Change]:
    """The order of segments decides which is the primary one."""
    before = [name for name in old.segments if name in new.segments]
    after = [name for name in new.segments if name in old.segments]
    if before != after:
        yield Change("order of segments", ", ".join(before), ", ".join(after))
