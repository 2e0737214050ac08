"""`keepwell segments eval`: members on stdout, what is wrong on stderr, exit codes."""

import json
from pathlib import Path

import pytest

from tests.interfaces.cli_world import keepwell

TRAITS = [
    {"entity": "u1", "time": "2026-01-01T00:00:00Z", "values": {"plan": "pro"}},
    {"entity": "u2", "time": 1767225600, "values": {"plan": "pro"}},
]
EVENTS = [{"entity": "u2", "time": "2026-01-04T00:00:00+00:00", "name": "login", "properties": {"n": 1}}]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, rows in (("traits", TRAITS), ("events", EVENTS)):
        (tmp_path / f"{name}.ndjson").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return tmp_path


def criteria(folder: Path, text: str) -> Path:
    (folder / "criteria.yaml").write_text(text)
    return folder / "criteria.yaml"


def test_members_are_printed_sorted(data: Path) -> None:
    ran = keepwell(
        "segments", "eval", "--criteria", criteria(data, "plan = 'pro'"), "--data", data, "--at", "2026-01-05"
    )
    assert (ran.code, json.loads(ran.out)) == (0, {"members": ["u1", "u2"]})
    assert "2 match: plan is 'pro'" in ran.err


@pytest.mark.parametrize("text", ["{event: login}", '{"event": "login", "count": [">=", 1], "within_seconds": 86401}'])
def test_both_forms_and_moments_as_seconds(data: Path, text: str) -> None:
    at = ("--at", 1767571200, "--format", "csv")
    ran = keepwell("segments", "eval", "--criteria", criteria(data, text), "--data", data, *at)
    assert (ran.code, ran.out.split()) == (0, ["entity", "u2"])


def test_a_bad_definition_is_placed(data: Path) -> None:
    file = criteria(data, "all:\n  - {event: login, witin: 3d}\n")
    ran = keepwell("segments", "eval", "--criteria", file, "--data", data, "--at", "2026-01-05")
    assert (ran.code, ran.out) == (2, "")
    assert f"{file}:2:20: error: unknown key 'witin'; did you mean 'within'?" in ran.err


def test_bad_rows_are_named_and_left_out(data: Path) -> None:
    with (data / "events.ndjson").open("a") as handle:
        handle.write('not json\n\n{"entity": "u1", "name": "login"}\n{"time": 1, "name": "login"}\n')
        handle.write('{"entity": "u1", "time": "2026-01-04", "name": "login", "properties": [1]}\n')
    file = criteria(data, "{event: login}")
    ran = keepwell("segments", "eval", "--criteria", file, "--data", data, "--at", "2026-01-05")
    assert (ran.code, json.loads(ran.out)) == (1, {"members": ["u2"]})
    shown = [line.removeprefix(f"problem: {data}/events.ndjson:") for line in ran.err.splitlines()[:4]]
    assert [line.split(";")[0] for line in shown] == [
        "2: not a JSON object",
        "4: 'time' is missing or no moment",
        "5: 'entity' is missing",
        "6: 'properties' must be an object",
    ]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--at", "soon"], "'soon' is no moment"),
        (["--at", "1e30"], "too far away"),
        (["--at", "2026-01-05", "--data", "nowhere"], "neither traits.ndjson nor events.ndjson is there"),
        (["--at", "2026-01-05", "--criteria", "none.yaml"], "none.yaml:1:1: error: cannot be read"),
    ],
)
def test_wrong_use(data: Path, more: list[str], message: str) -> None:
    file = criteria(data, "{event: login}")
    ran = keepwell("segments", "eval", "--criteria", file, "--data", data, *more)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_one_of_several_segments(data: Path) -> None:
    file = criteria(data, "segments:\n  a: {when: {event: login}}\n  b: {when: {not: {segment: a}}}\n")
    at = ("--data", data, "--at", "2026-01-05")
    ran = keepwell("segments", "eval", "--criteria", file, *at, "--segment", "b")
    assert json.loads(ran.out) == {"members": ["u1"]}
    assert "--segment NAME: a, b" in keepwell("segments", "eval", "--criteria", file, *at).err
