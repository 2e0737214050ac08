"""Edits change one value's characters and nothing else."""

import difflib

import pytest

from keepwell.model.packs import pack_directory, pack_names
from keepwell.services.planning.edits import Edit, EditError, edit_model, edit_value
from keepwell.services.planning.scorecard import bands_table, scorecard_table, settings_table
from keepwell.services.planning.sources import load_sources, read_sources

TEXT = """\
# The head stays.
scores:
  health:
    label: "Health"   # quoted
    bands:
      - {name: Good, from: 60} # a band
      - {name: Bad, from: 0}
    note: >
      folded
      text

    empty:
    shares: [1, 2]
"""


def edited(path: tuple[str | int, ...], value: object, text: str = TEXT) -> list[str]:
    """The lines that an edit takes away and puts in."""
    after = edit_model({"a.yaml": text}, [Edit(path, value)])["a.yaml"]  # type: ignore[arg-type]
    return [line for line in difflib.ndiff(text.splitlines(), after.splitlines()) if line[0] in "+-"]


@pytest.mark.parametrize(
    ("path", "value", "new"),
    [
        (("scores", "health", "label"), "Well: being", '+     label: "Well: being"   # quoted'),
        (("scores", "health", "bands", 0, "from"), 62.5, "+       - {name: Good, from: 62.5} # a band"),
        (("scores", "health", "bands", 1, "name"), "no, bad", '+       - {name: "no, bad", from: 0}'),
        (("scores", "health", "bands", 1, "name"), "At Risk", "+       - {name: At Risk, from: 0}"),
        (("scores", "health", "bands", 1, "name"), "true", '+       - {name: "true", from: 0}'),
        (("scores", "health", "bands", 1, "color"), "red", "+       - {color: red, name: Bad, from: 0}"),
        (("scores", "health", "empty"), 5, "+     empty: 5"),
        (("scores", "health", "shares"), [0.1, "x"], "+     shares: [0.1, x]"),
        (("scores", "health", "shares", 1), 0.000001, "+     shares: [1, 0.000001]"),
        (("scores", "health", "kind"), True, "+     kind: true"),
    ],
)
def test_one_line_changes(path: tuple[str | int, ...], value: object, new: str) -> None:
    changed = edited(path, value)
    assert [line for line in changed if line.startswith("+")] == [new]
    assert len(changed) <= 2


def test_a_folded_text_becomes_a_plain_one() -> None:
    assert edited(("scores", "health", "note"), "short") == [
        "-     note: >",
        "+     note: short",
        "-       folded",
        "-       text",
    ]


def test_marks_and_line_ends_of_other_systems_stay() -> None:
    text = "\ufeff" + TEXT.replace("\n", "\r\n")
    after = edit_model({"a.yaml": text}, [Edit(("scores", "health", "kind"), "risk")])["a.yaml"]
    assert after == text.replace("    label:", "    kind: risk\r\n    label:")


def test_only_the_file_that_has_the_value_changes() -> None:
    sources = {"a.yaml": TEXT, "b.yaml": "scores:\n  other:\n    label: Other\n"}
    after = edit_model(sources, [Edit(("scores", "other", "label"), "Else"), Edit(("scores", "health", "empty"), 1)])
    assert after["b.yaml"] == sources["b.yaml"].replace("Other", "Else")
    assert after["a.yaml"] == TEXT.replace("empty:", "empty: 1")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("scores", "helth", "label"), "no 'helth' in scores to change; did you mean 'health'"),
        (("scores", "health", "bands", 7, "name"), "no '7'"),
        (("scores", "health", "bands"), "spans several lines"),
        (("scores", "health", "empty", "inner"), "no keys to add"),
        ((), "needs the place"),
        (("nothing", "here"), "no 'nothing'"),
    ],
)
def test_what_cannot_be_edited_is_said(path: tuple[str | int, ...], said: str) -> None:
    with pytest.raises(EditError, match=said.replace("(", "\\(")):
        edited(path, 1)


def test_a_shared_value_is_not_changed_behind_the_back() -> None:
    text = "scores:\n  a: {weight: &w 5, more: 1}\n  b: {weight: *w}\n"
    with pytest.raises(EditError, match="anchor"):
        edited(("scores", "b", "weight"), 6, text)


def test_broken_yaml_is_said() -> None:
    with pytest.raises(EditError, match=r"a\.yaml is not valid YAML"):
        edited(("scores",), 1, "scores: [")


def test_what_people_type() -> None:
    typed = {"0.4": 0.4, " 7 ": 7, "true": True, "no": "no", "gold": "gold", "[a, 2]": ["a", 2], "a: b: c": "a: b: c"}
    assert {text: edit_value(text) for text in typed} == typed


@pytest.mark.parametrize("pack", pack_names())
def test_everything_that_a_table_offers_can_be_edited(pack: str) -> None:
    sources = read_sources(pack_directory(pack))
    loaded = load_sources(sources)
    rows = [*scorecard_table(loaded), *bands_table(loaded), *settings_table(loaded)]
    offered = [editable for row in rows for editable in row.editable]
    assert offered
    same = edit_model(sources, [Edit(one.path, one.value) for one in offered])
    assert load_sources(same).hash == loaded.hash


@pytest.mark.parametrize("pack", pack_names())
def test_a_table_says_where_each_measure_is_and_shares_add_up(pack: str) -> None:
    sources = read_sources(pack_directory(pack))
    rows = scorecard_table(load_sources(sources))
    for row in rows:
        name, line = row.place.split(":")
        assert sources[name].splitlines()[int(line) - 1].strip().startswith(f"{row.measure}:")
        assert row.curve_words
        assert row.missing
    for score in {row.score for row in rows}:
        assert sum(row.share for row in rows if row.score == score) == pytest.approx(1, abs=0.01)
