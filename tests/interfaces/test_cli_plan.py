"""plan and apply in a terminal and in CI: what a change would do, doing it, and going back."""

import re
import shutil
from pathlib import Path

import pytest

from tests.interfaces.cli_world import LAST, contents, keepwell


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, loaded: Path) -> Path:
    """A workspace with two published days; only read it."""
    folder = tmp_path_factory.mktemp("planned") / "ws"
    shutil.copytree(loaded, folder)
    assert keepwell("-w", folder, "backfill", "--from", LAST.replace(day=29), "--to", LAST).code == 0
    return folder


@pytest.fixture
def own(tmp_path: Path, planned: Path) -> Path:
    shutil.copytree(planned, tmp_path / "ws")
    return tmp_path / "ws"


@pytest.fixture
def proposed(tmp_path: Path, planned: Path) -> Path:
    """The model with the weights of two components exchanged."""
    shutil.copytree(planned / "model", tmp_path / "next")
    scores = tmp_path / "next" / "scores.yaml"
    swapped = {"35": "20", "20": "35"}
    text = re.sub(r"(?m)^( {8}weight: )(35|20)$", lambda m: m[1] + swapped[m[2]], scores.read_text())
    assert text != scores.read_text()
    scores.write_text(text)
    return tmp_path / "next"


def test_a_plan_as_json(planned: Path, proposed: Path) -> None:
    before = contents(planned)
    ran = keepwell("-w", planned, "plan", proposed, "--replay", 5, "--format", "json")
    assert ran.code == 0, ran.err
    assert [change["text"] for change in ran.json["changes"]] == [
        "score health: components: product_usage: weight changed from 35 to 20",
        "score health: components: adoption: weight changed from 20 to 35",
    ]
    assert ran.json["as_of"] == LAST.isoformat()
    assert ran.json["changed"] == len(ran.json["top"]) > 0
    assert ran.json["replay"]["days"] == 5
    assert contents(planned) == before


def test_a_plan_as_text(planned: Path, proposed: Path) -> None:
    ran = keepwell("-w", planned, "plan", proposed, "--replay", 8)
    found = keepwell("-w", planned, "plan", proposed, "--replay", 8, "--format", "json").json
    assert ran.code == 0
    assert f"Plan as of {LAST}" in ran.out
    assert f"{found['changed']} of {found['customers']} customers change band or segment" in ran.out
    assert "weight changed from 35 to 20" in ran.out
    assert "Replay of 8 days" in ran.out
    assert all(row["name"] in ran.out for row in found["top"])


def test_without_arguments_the_model_on_disk_is_compared_with_the_published_one(own: Path, proposed: Path) -> None:
    assert keepwell("-w", own, "plan", "--replay", 0, "--format", "json").json["changes"] == []
    shutil.copy(proposed / "scores.yaml", own / "model" / "scores.yaml")
    whole = keepwell("-w", own, "plan", "--replay", 0, "--format", "json")
    assert len(whole.json["changes"]) == 2
    assert (
        keepwell("-w", own, "plan", own / "model" / "scores.yaml", "--replay", 0, "--format", "json").out == whole.out
    )


def test_single_files_replace_those_of_the_same_name(planned: Path, proposed: Path) -> None:
    one = keepwell("-w", planned, "plan", proposed / "scores.yaml", "--replay", 0, "--format", "json")
    assert one.json == keepwell("-w", planned, "plan", proposed, "--replay", 0, "--format", "json").json


def test_a_bad_model_is_exit_2_with_its_places(planned: Path, proposed: Path) -> None:
    scores = proposed / "scores.yaml"
    scores.write_text(scores.read_text().replace("method: mean", "method: median"))
    ran = keepwell("-w", planned, "plan", proposed)
    assert ran.code == 2
    assert re.search(rf"^{re.escape(str(scores))}:\d+:\d+: error: ", ran.err, re.MULTILINE)
    assert ran.out == ""
    ran = keepwell("-w", planned, "plan", proposed / "gone.yaml")
    assert (ran.code, "no such file" in ran.err) == (2, True)


def test_apply_and_roll_back(own: Path, proposed: Path) -> None:
    original = (own / "model" / "scores.yaml").read_text()
    done = keepwell("-w", own, "apply", proposed, "--why", "adoption matters more", "--who", "Ada", "--yes")
    assert done.code == 0, done.err
    assert "version 2 is in place: scores.yaml" in done.out
    assert "weight changed from 35 to 20" in done.err
    assert (own / "model" / "scores.yaml").read_text() == (proposed / "scores.yaml").read_text()
    assert keepwell("-w", own, "apply", "--rollback", 1, "--why", "too soon", "--who", "Bob").code == 0
    assert (own / "model" / "scores.yaml").read_text() == original
    listed = keepwell("-w", own, "apply", "--history", "--format", "json").json
    assert [(e["version"], e["kind"], e["who"], e["why"]) for e in listed] == [
        (3, "rollback", "Bob", "too soon"),
        (2, "apply", "Ada", "adoption matters more"),
        (1, "start", "", "the model before the first change"),
    ]
    text = keepwell("-w", own, "apply", "--history").out
    assert "adoption matters more" in text
    assert "rollback of 1" in text


def test_apply_says_what_is_missing(own: Path, proposed: Path) -> None:
    before = (own / "model" / "scores.yaml").read_bytes()
    cases = {
        (): "give one of",
        (proposed, "--rollback", 1): "give one of",
        (proposed,): "--why TEXT",
        (proposed, "--why", "x"): "add --yes",
        ("--rollback", 9, "--why", "x"): "no version 9",
        (own / "model", "--why", "x", "--yes"): "nothing to change",
        (own / "nowhere", "--why", "x", "--yes"): "not a directory",
    }
    for arguments, said in cases.items():
        ran = keepwell("-w", own, "apply", *arguments)
        assert ran.code == 2
        assert said in ran.err
    assert (own / "model" / "scores.yaml").read_bytes() == before
    assert "begins a history" in keepwell("-w", own, "apply", "--history").err
