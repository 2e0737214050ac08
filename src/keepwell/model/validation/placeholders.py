"""Texts with {placeholders} name what can be filled in."""

from collections.abc import Iterable, Iterator
from string import Formatter
from typing import Final

from keepwell.model.playbook_parts import playbook_texts
from keepwell.model.problems import Problem, did_you_mean
from keepwell.model.validation.context import Context
from keepwell.model.validation.measures import measures
from keepwell.model.yaml_source import KeyPath

ALWAYS: Final = frozenset({"company", "customer_id"})


def check(context: Context) -> Iterable[Problem]:
    """Unknown placeholders and braces that do not close in titles, reasons and texts of steps."""
    known = context.value_names | ALWAYS
    for path, text, own in _texts(context):
        allowed = known | own
        try:
            names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
        except ValueError:
            yield context.error(path, "a brace { or } does not close; a brace as such is written twice")
            continue
        for name in names:
            if name not in allowed:
                shift = text.find("{" + name)
                message = f"unknown placeholder '{{{name}}}'{did_you_mean(name, allowed)}"
                yield context.error(path, message, shift=max(0, shift))


def _texts(context: Context) -> Iterator[tuple[KeyPath, str, frozenset[str]]]:
    for name, segment in context.model.segments.items():
        if segment.task is not None:
            yield ("segments", name, "task", "title"), segment.task.title, frozenset()
    for name, signal in context.model.signals.items():
        yield ("signals", name, "reason"), signal.reason, frozenset({"value"})
    for path, text in playbook_texts(context.model):
        yield path, text, frozenset()
    for place in measures(context.model):
        yield (*place.path, "reason"), place.measure.reason, frozenset({"value"})
