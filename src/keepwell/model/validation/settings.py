"""Settings that expressions read exist. Others may be there: reports and playbooks read settings, too."""

from collections.abc import Iterable, Iterator

from keepwell.model import expression_tree as tree
from keepwell.model.graph import SETTING, substitute_settings
from keepwell.model.problems import Problem, did_you_mean
from keepwell.model.usages import Usage
from keepwell.model.validation.context import Context, is_setting


def check(context: Context) -> Iterable[Problem]:
    """Unknown settings, lists outside `in (…)`, unused settings, and stale days of unknown tables."""
    for usage in context.all_usages:
        names = [n.removeprefix(SETTING) for n in tree.names_in(usage.expression) if is_setting(n)]
        yield from _usage(context, usage, names)
    yield from _stale(context)


def _usage(context: Context, usage: Usage, names: list[str]) -> Iterator[Problem]:
    unknown = [name for name in names if name not in context.setting_names]
    for name in unknown:
        hint = did_you_mean(name, context.setting_names)
        yield context.error_at(usage, SETTING + name, f"unknown setting '{name}'{hint}")
    if names and all(name in context.model.settings.values for name in names):
        try:
            substitute_settings(usage.expression, context.model.settings)
        except tree.ExpressionError as error:
            yield context.error_at(usage, str(error).split()[0], str(error))


def _stale(context: Context) -> Iterator[Problem]:
    for table, days in context.model.settings.stale_after_days.items():
        path = ("settings", "stale_after_days", table)
        if context.tables is not None and table not in context.tables:
            yield context.error(path, f"unknown table '{table}'{did_you_mean(table, context.tables)}", key=True)
        if days < 1:
            yield context.error(path, "must be at least 1")
