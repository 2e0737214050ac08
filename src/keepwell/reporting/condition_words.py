"""Conditions and formulas of a model as people say them: labels for names, units for numbers, words for signs."""

import re
from collections.abc import Iterator
from decimal import Decimal
from string import Formatter
from typing import Final

from keepwell.evaluation.compiled import compile_model
from keepwell.evaluation.words import value_words
from keepwell.model import expression_tree as tree
from keepwell.model.conditions import ConditionTree, Group, InSegmentLeaf, Leaf
from keepwell.model.definitions import Model
from keepwell.model.expression_text import expression_text
from keepwell.model.graph import segment_key
from keepwell.model.loader import LoadedModel
from keepwell.model.words import counted
from keepwell.reporting.words import label_of, listed

COMPARED: Final = {
    "=": "is",
    "!=": "is not",
    ">=": "is at least",
    "<=": "is at most",
    ">": "is more than",
    "<": "is less than",
}
GROUPS: Final = {"all": "all of", "any": "any of", "not": "not"}
_SIGNS: Final = {"*": "×", "/": "÷", "-": "−"}
_CALLS: Final = {"contains": "contains", "starts_with": "starts with", "ends_with": "ends with"}
_TESTS: Final = {"is_unknown": "is unknown", "is_known": "is known"}
_CAPITALS: Final = re.compile(r"\b(?:arr|mrr|nps|csat|ces|api|crm|id)\b", re.IGNORECASE)
_QUOTED_OR_NAME: Final = re.compile(r"'[^']*'|[A-Za-z_][A-Za-z0-9_]*")
_PARTS: Final = {"_score": "", "_band": " band", "_coverage": " coverage", "_raw": " unrounded"}


class ConditionWords:
    """Says the conditions of one model in words."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def name(self, name: str) -> str:
        """What a metric, score, signal, segment or column is called."""
        model, known = self.model, self.model.metrics.get(name)
        if known is None and name in model.signals:
            return model.signals[name].label or label_of(name, None)
        for ending, said in _PARTS.items():
            score = model.scores.get(name.removesuffix(ending))
            if known is None and name.endswith(ending) and score is not None:
                return (score.label or label_of(name.removesuffix(ending), None)) + said
        return _CAPITALS.sub(lambda found: found[0].upper(), label_of(name.removeprefix("setting."), known))

    def segment(self, name: str) -> str:
        """What a segment or band is called."""
        key = segment_key(self.model, name)
        return (self.model.segments[key].label if key else "") or name

    def title(self, text: str) -> str:
        """A text with placeholders as it reads for many: `Call the customer about MRR`."""
        try:
            parts = list(Formatter().parse(text))
        except ValueError:
            return text
        said = [f"{before}{'' if name is None else self._placeholder(name)}" for before, name, _, _ in parts]
        return "".join(said)

    def _placeholder(self, name: str) -> str:
        return "the customer" if name in ("company", "customer_id") else self.name(name)

    def lines(self, condition: ConditionTree, depth: int = 0) -> Iterator[tuple[int, str]]:
        """A condition line by line, each with how deep it stands."""
        if not isinstance(condition, Group):
            yield depth, self.sentence(condition)
            return
        yield depth, GROUPS[condition.kind]
        for item in condition.items:
            yield from self.lines(item, depth + 1)

    def sentence(self, condition: ConditionTree) -> str:
        """A condition in one sentence without an end."""
        match condition:
            case Group("not", (item,)):
                return f"not ({self.sentence(item)})"
            case Group(kind, items):
                texts = [self.sentence(item) for item in items]
                word = " and " if kind == "all" else " or "
                return word.join(f"({text})" if " or " in text else text for text in texts)
            case Leaf(expression, text):
                return self._leaf(expression, text)
            case InSegmentLeaf(segment):
                return f"is in {self.segment(segment)}"
            case _:
                within = counted(condition.within_days, "day")
                return f"{condition.direction} {self.segment(condition.target)} within {within}"

    def expression(self, part: tree.Expression) -> str:
        """A formula or a test."""
        match part:
            case tree.Literal(value):
                return _literal(value, "")
            case tree.Name(name):
                return self.name(name)
            case tree.Compare(operator, left, right):
                return f"{self._inner(left)} {COMPARED[operator]} {self._value(left, right)}"
            case tree.Between(item, low, high):
                return f"{self._inner(item)} is from {self._value(item, low)} to {self._value(item, high)}"
            case tree.Not(tree.In(item, options)):
                return f"{self._inner(item)} is none of {listed([self._value(item, one) for one in options], 'or')}"
            case tree.In(item, options):
                return f"{self._inner(item)} is {listed([self._value(item, one) for one in options], 'or')}"
            case tree.Logic(operator, items):
                return f" {operator} ".join(map(self._inner, items))
            case tree.Not(item):
                return f"not {self._inner(item)}"
            case _:
                return self._calculated(part)

    def _calculated(self, part: tree.Expression) -> str:
        match part:
            case tree.Call(function, (item,)) if function in _TESTS:
                return f"{self._inner(item)} {_TESTS[function]}"
            case tree.Call(function, (item, value)) if function in _CALLS:
                return f"{self._inner(item)} {_CALLS[function]} {self._inner(value)}"
            case tree.Call("coalesce", (item, tree.Literal(value))):
                return f"{self._inner(item)} ({_literal(value, '')} without data)"
            case tree.Call("coalesce", arguments):
                return ", else ".join(map(self._inner, arguments))
            case tree.Call("nullif", (item, _)):
                return self._inner(item)
            case tree.Call("before", (item, days)):
                return f"{self._inner(item)} {self.expression(days)} days before"
            case tree.Call("days_until" | "days_since" as function, (item,)):
                return f"{function.replace('_', ' ')} {self._inner(item)}"
            case tree.Call(function, arguments):
                return f"{function.replace('_', ' ')} of {listed([self._inner(item) for item in arguments])}"
            case tree.Arithmetic(operator, left, right):
                chained = isinstance(left, tree.Arithmetic) and left.operator == operator
                before = self.expression(left) if chained else self._inner(left)
                return f"{before} {_SIGNS.get(operator, operator)} {self._inner(right)}"
            case tree.Like(item, pattern):
                return f"{self._inner(item)} is like {pattern}"
            case tree.Case(branches, otherwise):
                cases = [f"{self.expression(then)} if {self.expression(when)}" for when, then in branches]
                return f"{', '.join(cases)}, else {self.expression(otherwise)}"
        return expression_text(part)

    def _leaf(self, expression: tree.Expression, text: str) -> str:
        """A test; behaviour and lengths of time are texts already, in which names get their labels."""
        behaviour = isinstance(expression, tree.Name) and not expression.name.isidentifier()
        if behaviour or " has been " in text:
            return _QUOTED_OR_NAME.sub(lambda found: self._known(found[0]), text)
        return self.expression(expression)

    def _known(self, word: str) -> str:
        return self.name(word) if word in self.model.metrics else word

    def _inner(self, part: tree.Expression) -> str:
        text = self.expression(part)
        return f"({text})" if isinstance(part, tree.Logic | tree.Arithmetic | tree.Case) else text

    def _value(self, of: tree.Expression, value: tree.Expression) -> str:
        """What a name is compared with, in the name's unit."""
        metric = self.model.metrics.get(of.name) if isinstance(of, tree.Name) else None
        if not isinstance(value, tree.Literal):
            return self._inner(value)
        unit = metric.unit if metric is not None and metric.unit not in ("ratio", *metric.label.lower().split()) else ""
        return _literal(value.value, unit)


def _literal(value: Decimal | str | bool | None, unit: str) -> str:
    return value_words(float(value) if isinstance(value, Decimal) else value, unit)


def segment_words(loaded: LoadedModel, name: str) -> str:
    """Who is in a segment of the model, in one sentence; empty for what is no segment."""
    words = ConditionWords(loaded.model)
    key = segment_key(loaded.model, name)
    if key is None:
        return ""
    definition = loaded.model.segments[key]
    if definition.catch_all:
        return "everybody whom no other segment takes"
    texts = [words.sentence(compile_model(loaded).conditions[definition.when])] if definition.when is not None else []
    if definition.by:
        texts.append(f"{words.name(definition.by)} is {name.partition(': ')[2] or 'the same'}")
    if definition.parent:
        texts.append(f"is in {words.segment(definition.parent)}")
    return " and ".join(texts)
