"""YAML with positions: what is read, and where it stood."""

from typing import Any

import pytest

from keepwell.model.yaml_source import Document, parse_yaml


def read(text: str) -> Document:
    return parse_yaml(text, Document("x.yaml"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("12:30", "12:30"),
        ("2026-01-31", "2026-01-31"),
        ("007", "007"),
        ("25_000", 25000),
        ("-3", -3),
        ("2.5", 2.5),
        ("1e3", 1000.0),
        ("", None),
        ("~", None),
        ("'1'", "1"),
        ("NO", "NO"),
    ],
)
def test_plain_values_follow_the_core_schema(text: str, value: Any) -> None:
    found = read(f"a: {text}").data["a"]
    assert found == value
    assert type(found) is type(value)


def test_keys_and_values_have_positions() -> None:
    document = read("a:\n  b: [1,  x]\n")
    assert document.position(("a", "b"), key=True) == (2, 3)
    assert document.position(("a", "b")) == (2, 6)
    assert document.position(("a", "b", 1)) == (2, 11)
    assert document.position(("a", "b", 7)) == (2, 6)
    assert document.position(("nowhere",)) == (1, 1)


@pytest.mark.parametrize(
    ("text", "word", "place"),
    [
        ("a: one two", "two", (1, 8)),
        ("a: 'one two'", "two", (1, 9)),
        ("a: 'it''s two'", "two", (1, 11)),
        ('a: "x\\"y two"', "two", (1, 10)),
        ("a: |\n  one\n  two\n", "two", (3, 3)),
        ("a: >\n  one\n  two\n", "two", (3, 3)),
        ("a: one\n   two", "two", (2, 4)),
        ("a: {b: one, c: two}", None, None),
    ],
)
def test_a_place_inside_a_text_is_found(text: str, word: str | None, place: tuple[int, int] | None) -> None:
    document = read(text)
    if word is None:
        assert document.place(("a",), 0) == document.position(("a",))
    else:
        assert document.place(("a",), document.data["a"].index(word)) == place


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "x.yaml:1:6: error: not valid YAML: expected ',' or ']'"),
        ("a: &a [*a]", "x.yaml:1:4: error: not valid YAML: an anchor refers to itself"),
        ("a: !!timestamp x", "x.yaml:1:4: error: not valid YAML: a value that cannot be read"),
        ("a: !thing x", "x.yaml:1:4: error: not valid YAML: tag !thing may not be used"),
        ("? [a]\n: b", "x.yaml:1:3: error: not valid YAML: a key must be plain text"),
        ("a: 1\nb: 2\na: 3", "x.yaml:3:1: error: duplicate key 'a' (first on line 1)"),
        ("a: 1\n---\nb: 1", "x.yaml:2:1: error: not valid YAML: but found another document"),
        ("a: " + "9" * 5000, "x.yaml:1:4: error: not valid YAML: a value that cannot be read"),
        ("[" * 2000, "too deeply nested"),
    ],
)
def test_what_cannot_be_read_has_its_place(text: str, message: str) -> None:
    found = [str(p) for p in read(text).problems]
    assert any(message in p for p in found), found


def test_aliases_cannot_unfold_without_end() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    document = read("\n".join(lines))
    assert document.data is None
    assert "more than 100,000 values" in str(document.problems[0])
