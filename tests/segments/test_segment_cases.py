"""The cases of other engines, and the runner that prints them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.segment_cases import main, run_case

FILE = Path(__file__).parent / "cases" / "segments.json"
CASES: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: dict[str, Any]) -> None:
    assert run_case(case).why == ""


def test_there_are_cases_and_every_choice_is_documented() -> None:
    assert len(CASES) >= 78
    page = (Path(__file__).parents[2] / "docs" / "segments.md").read_text(encoding="utf-8")
    assert all(f"`{case['id']}`" in page for case in CASES if "semantics_choice" in case)


def write(path: Path, *cases: dict[str, Any]) -> str:
    path.write_text(json.dumps({"cases": cases}), encoding="utf-8")
    return str(path)


def case(name: str, members: list[str], **more: Any) -> dict[str, Any]:
    step = {"at": 0, "events": [["a", -1, "x", {}], ["b", -1, "y", {}]], "members": members, **more}
    return {"id": name, "segment": {"event": "x", "count": [">=", 1]}, "steps": [step]}


def test_the_runner_says_what_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "f.json", case("good", ["a"]), case("bad", ["b"]), case("listed", ["a"], not_members=["c"]))
    assert main([file]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "good: ok",
        "bad: FAILED: step 1 (at 0): missing b; wrongly in a",
        "listed: ok",
    ]


def test_the_runner_names_a_segment_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = {**case("odd", []), "segment": {"trait": "a", "op": "equal", "value": 1}}
    assert main([write(tmp_path / "f.json", odd)]) == 1
    assert "unknown op 'equal'" in capsys.readouterr().out


def test_segments_and_lists_are_fed(tmp_path: Path) -> None:
    steps = [{"at": 0, "manual": [[1, "a", True], [1, "b", True], [1, "b", False]], "members": ["a"]}]
    assert run_case({"id": "list", "segment": {"manual": 1}, "steps": steps}).why == ""
    other = {"id": "ref", "segment": {"not": {"in_segment": "l"}}, "segments": {"l": {"manual": 1}}}
    assert run_case({**other, "steps": [{**steps[0], "members": ["b"]}]}).why == ""


def test_the_runner_refuses_what_is_no_file_of_cases(tmp_path: Path) -> None:
    assert main([str(tmp_path / "none.json")]) == 2
    assert main([]) == 2
