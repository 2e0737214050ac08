"""Loading: merging files, positions, the hash, and all problems at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from keepwell.model.loader import LoadedModel, load_model
from keepwell.model.problems import DefinitionError
from keepwell.model.yaml_source import MOST_RIVALS

ABOUT = 'model: {name: small, version: "1"}\n'
Load = Callable[..., LoadedModel]
Problems = Callable[..., list[str]]


def test_files_are_merged_in_the_order_of_their_names(load: Load) -> None:
    loaded = load(
        ABOUT,
        a="segments: {late: {catch_all: true, dimension: a}, x: {when: m > 1}}\nmetrics: {m: {given: true}}",
        b="segments: {rest: {catch_all: true}}\nsettings: {values: {one: 1}}",
        c="settings: {values: {two: 2}, minimum_coverage: 0.4}",
    )
    assert list(loaded.model.segments) == ["late", "x", "rest"]
    assert loaded.model.settings.values == {"one": 1, "two": 2}
    assert loaded.model.settings.minimum_coverage == 0.4
    assert [d.path for d in loaded.documents] == ["m/a.yaml", "m/b.yaml", "m/c.yaml", "m/model.yaml"]


def test_a_name_defined_twice_names_the_first_place(problems: Problems) -> None:
    found = problems(ABOUT, a="metrics:\n  m: {given: true}", b="metrics:\n  n: {given: true}\n  m: {given: true}")
    assert "m/b.yaml:3:3: error: duplicate 'm' (first at m/a.yaml:2)" in found


def test_a_key_twice_in_one_file(problems: Problems) -> None:
    found = problems(ABOUT + "metrics:\n  m: {given: true}\n  m: {given: true}")
    assert "m/model.yaml:4:3: error: duplicate key 'm' (first on line 3)" in found


def test_a_section_twice_in_one_file_is_looked_through_both_times(problems: Problems) -> None:
    text = "metrics:\n  m: {given: true}\nmetrics:\n  m: {given: true}\n  n: {tabel: x}\nmetrics: 3"
    found = problems(ABOUT + text)
    assert "m/model.yaml:4:1: error: duplicate key 'metrics' (first on line 2)" in found
    assert "m/model.yaml:5:3: error: duplicate key 'm' (first on line 3)" in found
    assert "m/model.yaml:6:7: error: unknown key 'tabel'; did you mean 'table'?" in found
    assert "m/model.yaml:7:1: error: duplicate key 'metrics' (first on line 2)" in found


def test_a_name_twice_in_a_section_that_another_file_spoils(problems: Problems) -> None:
    found = problems(ABOUT, a="metrics: 3", b="metrics:\n  m: {given: true}\n  m: {tabel: x}")
    assert "m/a.yaml:1:10: error: must be a mapping of keys to values" in found
    assert "m/b.yaml:3:3: error: duplicate key 'm' (first on line 2)" in found


def test_of_many_rivals_the_first_are_looked_into(problems: Problems) -> None:
    found = problems(ABOUT + "metrics:\n  m: {given: true}\n" + "  m: {tabel: x}\n" * (MOST_RIVALS + 5))
    assert sum("duplicate key 'm'" in problem for problem in found) == MOST_RIVALS + 5
    assert sum("unknown key 'tabel'" in problem for problem in found) == MOST_RIVALS


def test_a_definition_whose_name_is_taken_is_looked_into(problems: Problems) -> None:
    here = (
        "metrics:\n  m: {given: true}\n  m:\n    tabel: x\n    aggregate: cont\n  m: {expr: m +}\n  n: {expr: mm + 1}\n"
    )
    found = problems(ABOUT + here, b="segments:\n  s: {when: m > 1}", c="segments:\n  s: {when: o > 1, colour: red}")
    expected = [
        "m/b.yaml:2:3: warning: no segment is a catch-all",
        "m/c.yaml:2:3: error: duplicate 's' (first at m/b.yaml:2)",
        "m/c.yaml:2:13: error: unknown name 'o'",
        "m/c.yaml:2:20: error: unknown key 'colour'; did you mean 'color'?",
        "m/model.yaml:4:3: error: duplicate key 'm' (first on line 3)",
        "m/model.yaml:5:5: error: unknown key 'tabel'; did you mean 'table'?",
        "m/model.yaml:6:16: error: must be 'count'",
        "m/model.yaml:7:3: error: duplicate key 'm' (first on line 3)",
        "m/model.yaml:7:15: error: not an expression",
        "m/model.yaml:8:13: error: unknown name 'mm'",
    ]
    assert [words for words, begins in zip(found, expected, strict=True) if not words.startswith(begins)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics: {a: {tabel: x}}", "2:15: error: unknown key 'tabel'; did you mean 'table'?"),
        ("metric: {}", "2:1: error: unknown key 'metric'; did you mean 'metrics'?"),
        ("metrics: {a b: {given: true}}", "2:11: error: 'a b' cannot be a name: letters, digits and _ only"),
        ("metrics: {a: {given: true, window: 0}}", "2:36: error: must be at least 1"),
        ("metrics: {a: {given: true, empty: no}}", "2:35: error: must be a number or 'unknown'"),
        ("metrics: {a: {expr: 'b + frob(2)'}}", "2:26: error: unknown function 'frob'"),
        ("metrics: {a: {table: events, aggregate: cont}}", "did you mean 'count'?"),
        ("signals: {a: {}}", "2:11: error: 'when' is missing"),
        (
            "signals: {a: {when: {all: [{any: ['x > 1'], al: 2}]}}}",
            "2:45: error: unknown key 'al'; did you mean 'all'?",
        ),
        ("signals: {a: {when: {all: []}}}", "2:22: error: needs at least one entry"),
        ("signals: {a: {when: {not: 3}}}", "2:27: error: a condition is a text such as"),
        ("signals: {a: {when: {attribute: x, operator: is, value: 1}}}", "2:46: error: must be 'equals'"),
        ("signals: {a: {when: x > 1, color: red}}", "2:28: error: unknown key 'color'"),
        ("metrics: {a: {expr: abs(b, 30)}}", "2:28: error: '30)' is not a key; inside {…} a text with a comma needs"),
        ("segments: {a: {color: rde}}", "did you mean 'red'?"),
        ("settings: {values: {a: {b: 1}}}", "2:24: error: must be true or false or a whole number or a number"),
        ("metrics: [a]", "2:10: error: must be a mapping of keys to values"),
        ("model: {}", "2:1: error: duplicate key 'model' (first on line 1)"),
        ("metrics: {a: 'b", "error: not valid YAML"),
    ],
)
def test_a_problem_has_its_place_and_plain_words(problems: Problems, text: str, expected: str) -> None:
    assert any(expected in p for p in problems(ABOUT + text)), problems(ABOUT + text)


def test_the_column_inside_a_folded_text_is_found(problems: Problems) -> None:
    found = problems(ABOUT + "metrics:\n  a:\n    expr: >\n      b +\n      frob(2)\n")
    assert "m/model.yaml:6:7: error: unknown function 'frob'" in found[0]


def test_the_column_inside_quotes_is_found(problems: Problems) -> None:
    found = problems(ABOUT + """metrics: {a: {expr: "'it''s' = frob(2)"}}""")
    assert "m/model.yaml:2:32: error: unknown function 'frob'" in found[0]


def test_an_empty_and_a_missing_directory_are_named(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"no .* file in this directory"):
        load_model(tmp_path)
    with pytest.raises(DefinitionError, match="is not a directory with a model"):
        load_model(tmp_path / "nowhere")


def test_a_model_needs_to_say_who_it_is(problems: Problems) -> None:
    assert problems("metrics: {a: {given: true}}")[0].startswith("m/model.yaml:1:1: error: 'model' is missing")


BASE = (
    ABOUT
    + "metrics: {m: {given: true}}\nsegments: {a: {when: m > 1}, b: {catch_all: true}}\nsignals: {s: {when: m > 2}}"
)


def test_the_hash_does_not_depend_on_layout(load: Load, tmp_path: Path) -> None:
    one = load(BASE)
    other = BASE.replace("{given: true}", "{ entity: customer, # the default\n  given: true }")
    assert load(other).hash == one.hash


@pytest.mark.parametrize(
    "change",
    [
        ("m > 1", "m > 2"),
        ("a: {when: m > 1}, b: {catch_all: true}", "b: {catch_all: true}, a: {when: m > 1, dimension: x}"),
        ("{when: m > 2}", "{when: m > 2, action: Call}"),
    ],
)
def test_the_hash_changes_with_the_content(load: Load, change: tuple[str, str]) -> None:
    assert load(BASE).hash != load(BASE.replace(*change)).hash
