"""Surveys name dates, messages and placeholders that exist."""

from collections.abc import Iterable, Iterator
from string import Formatter
from typing import Final

from keepwell.model.expressions import parse_expression
from keepwell.model.metric_definitions import MetricType
from keepwell.model.problems import Problem, did_you_mean
from keepwell.model.survey_definitions import GROUPS, OnDate, Survey
from keepwell.model.validation.context import Context
from keepwell.model.validation.inference import Kinds
from keepwell.model.yaml_source import KeyPath

BEGIN: Final = "customer_since"
"""The day on which a customer began: every customer may have one, whatever the model."""
_FILLED_IN: Final = frozenset({"company", "score"})


def check(context: Context) -> Iterable[Problem]:
    """Unknown dates, messages and placeholders, and triggers that stand there twice."""
    for name, survey in context.model.surveys.items():
        path: KeyPath = ("surveys", name)
        yield from _triggers(context, survey, path)
        yield from _message(context, survey, (*path, "message"))
        yield from _tasks(context, survey, (*path, "tasks"))


def _triggers(context: Context, survey: Survey, path: KeyPath) -> Iterator[Problem]:
    written = context.source.data.get("surveys", {}).get(path[1], {}).get("on")
    for index, trigger in enumerate(survey.on):
        place = (*path, "on", index) if isinstance(written, list) else (*path, "on")
        if trigger in survey.on[:index]:
            yield context.error(place, "sends it already")
        elif isinstance(trigger, OnDate) and trigger.date != BEGIN:
            yield from _date(context, (*place, "date"), trigger.date)


def _date(context: Context, path: KeyPath, name: str) -> Iterator[Problem]:
    known = (*context.names("metrics"), BEGIN)
    if name not in known:
        yield context.error(path, f"unknown metric '{name}'{did_you_mean(name, known)}")
    elif name in context.model.metrics:
        found = Kinds(context).of(parse_expression(name)).type
        if found is not None and found is not MetricType.DATE:
            yield context.error(path, f"'{name}' is a {found}; 'date' takes a date")


def _message(context: Context, survey: Survey, path: KeyPath) -> Iterator[Problem]:
    if survey.message is None:
        return
    known = context.names("messages")
    if survey.message not in known:
        yield context.error(path, f"unknown message '{survey.message}'{did_you_mean(survey.message, known)}")
        return
    message = context.model.messages.get(survey.message)
    if message is not None and message.channel != "email":
        yield context.error(path, f"'{survey.message}' is shown in the product; surveys are sent by e-mail")


def _tasks(context: Context, survey: Survey, path: KeyPath) -> Iterator[Problem]:
    for group in GROUPS:
        task = getattr(survey.tasks, group)
        if task is None:
            continue
        where = (*path, group, "task")
        try:
            names = [name for _, name, _, _ in Formatter().parse(task.task) if name is not None]
        except ValueError:
            yield context.error(where, "a brace { or } does not close; a brace as such is written twice")
            continue
        for name in names:
            if name not in _FILLED_IN:
                message = f"unknown placeholder '{{{name}}}'{did_you_mean(name, _FILLED_IN)}"
                yield context.error(where, message, shift=max(0, task.task.find("{" + name)))
