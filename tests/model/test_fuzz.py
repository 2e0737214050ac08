"""Whatever is in the files: a model or a DefinitionError, never anything else."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keepwell.model.expression_text import expression_text
from keepwell.model.expressions import ExpressionError, parse_expression
from keepwell.model.loader import LoadedModel, check_source, load_model
from keepwell.model.problems import DefinitionError
from keepwell.model.source import Source, merge
from keepwell.model.yaml_source import Document, parse_yaml
from keepwell.warehouse.columns import TABLE_COLUMNS

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")
NAMES = ["a", "b", "logins", "status", "setting.n", "from", "select", "interval", "date", "@", "$1", "?"]
MARKS = [
    "(",
    ")",
    ",",
    ".",
    "+",
    "-",
    "*",
    "/",
    "=",
    "<",
    ">=",
    "!=",
    "::",
    "->",
    "||",
    "~",
    "**",
    "//",
    ";",
    "%",
    "\n",
]
VALUES = ["1", "2.5", "'x'", "'it''s'", "null", "true", '"', "[", "]", "{", "}", ":", "\\"]
KEYWORDS = ["and", "or", "not", "in", "is", "case", "when", "then", "else", "end", "between", "like", "as", "distinct"]
CALLS = ["if(", "before(", "days_since(", "coalesce(", "property('k')", "exists("]
WORDS = NAMES + MARKS + VALUES + KEYWORDS + CALLS
TAGS = [
    "!!timestamp x",
    "!!bool x",
    "!!int ''",
    "!!float x",
    "!!omap x",
    "!!set {a}",
    "!x y",
    "!!binary =",
    "2026-99-99",
]
YAML_PARTS = [
    "a: ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "|\n ",
    ">\n ",
    "'",
    '"',
    "\n",
    "  ",
    "<<: ",
    "? ",
    "#",
    *TAGS,
]
SNIPPETS = [
    "metrics: ",
    "scores: ",
    "segments: ",
    "when: ",
    "{all: ",
    "expr: ",
    "attribute: ",
    "table: events, ",
    "m: ",
]
BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefgh")
)


def read(text: str) -> LoadedModel | None:
    source = merge(Source("m"), [parse_yaml(text, Document("m/x.yaml"))])
    try:
        return check_source(source, tables=TABLE_COLUMNS)
    except DefinitionError as error:
        found = error.problems
    assert found
    assert all(p.line >= 1 and p.column >= 1 for p in found)
    return None


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(YAML_PARTS + SNIPPETS) | st.text(max_size=8), max_size=30).map("".join))
@example("a: &a [*a]")
@example("? [a]\n: b")
@example("[" * 3000)
@example("metrics: {a: {given: true, empty: " + "9" * 5000 + "}}")
@example('"\\ud800": 1')
@example("\x00")
@example(BOMB)
def test_any_text_is_a_model_or_an_error(text: str) -> None:
    read(text)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_damage_to_a_model_is_found_or_harmless(data: st.DataObject) -> None:
    lines = GOOD.split("\n")
    place = data.draw(st.integers(0, len(lines) - 1))
    line = lines[place]
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    middle = data.draw(st.sampled_from(YAML_PARTS + WORDS) | st.text(max_size=5))
    lines[place] = line[:start] + middle + line[end:]
    read("\n".join(lines))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join) | st.text(max_size=30))
@example("(" * 400 + "a" + ")" * 400)
@example("not " * 400 + "a")
@example("+".join(["a"] * 400))
def test_any_text_is_an_expression_or_an_error(text: str) -> None:
    try:
        expression = parse_expression(text)
    except ExpressionError as error:
        column = error.column
    else:
        column = 0
        assert parse_expression(expression_text(expression)) == expression
    assert 0 <= column <= len(text)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00bad")
    with pytest.raises(DefinitionError, match=r"m/x.yaml:1:1: error: cannot be read"):
        load_model(tmp_path, shown="m")
