"""The rules that a model must keep, one per file: each takes the context and yields problems."""

from collections.abc import Callable, Iterable
from typing import Final

from keepwell.model.problems import Problem
from keepwell.model.validation.context import Context

Rule = Callable[[Context], Iterable[Problem]]

RULES: Final[tuple[Rule, ...]] = ()


def check_model(context: Context) -> list[Problem]:
    """Every problem that the rules find."""
    return [problem for rule in RULES for problem in rule(context)]
