"""The reference names every key, every choice and every function."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from keepwell.model.definitions import Model
from keepwell.model.expressions import FUNCTIONS, ExpressionError, parse_expression
from keepwell.model.loader import check_source
from keepwell.model.metric_definitions import Aggregate
from keepwell.model.source import Source, merge
from keepwell.model.translation import field_names, is_model, leaves
from keepwell.model.yaml_source import Document, parse_yaml

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "models.md").read_text(encoding="utf-8")
NAMES = ("playbooks.md", "alerts.md", "surveys.md", "checklists.md")
PAGES = TEXT + "".join((DOCS / name).read_text(encoding="utf-8") for name in NAMES)
WORDS = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGES, flags=re.DOTALL)))))


def definitions(kind: Any, found: dict[Any, None]) -> dict[Any, None]:
    if is_model(kind) and kind not in found:
        found[kind] = None
        for annotation in field_names(kind).values():
            for leaf in leaves(annotation):
                definitions(leaf, found)
    else:
        for part in get_args(kind):
            for leaf in leaves(part):
                if is_model(leaf) or get_args(leaf):
                    definitions(leaf, found)
    return found


KINDS = tuple(definitions(Model, {}))


def test_all_definitions_are_found() -> None:
    assert {k.__name__ for k in KINDS} >= {"About", "Task", "Moved", "CarryForward", "PerUnit", "Override", "Band"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_every_key_is_named(kind: Any) -> None:
    assert [name for name in field_names(kind) if name not in WORDS] == []


def test_every_choice_is_named() -> None:
    choices = {c for k in KINDS for a in field_names(k).values() for leaf in leaves(a) for c in get_args(leaf)}
    named = {c for c in choices if isinstance(c, str)}
    assert len(named) > 30
    assert sorted(named - WORDS) == []
    assert sorted(set(Aggregate) - WORDS) == []


def test_every_function_is_named() -> None:
    assert sorted(set(FUNCTIONS) - WORDS) == []


def test_a_function_that_is_not_there_is_refused() -> None:
    with pytest.raises(ExpressionError):
        parse_expression("median(a)")


def test_the_examples_are_read() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
    about = parse_yaml('model: {name: docs, version: "1"}', Document("about"))
    documents = [parse_yaml(block, Document(f"block {i}")) for i, block in enumerate(blocks) if "when:\n" not in block]
    loaded = check_source(merge(Source("docs"), [about, *documents]))
    assert list(loaded.model.metrics) == ["payment_status", "logins_30d", "usage_change"]
    assert list(loaded.model.scores) == ["health"]
