"""Runs the segment cases of a file, through the command line's own steps: `python -m tests.segment_cases FILE`.

One line per case: its id, and ok or FAILED with what was expected. Exit 1 when any fails, 2 when the file cannot be
read. A file has `cases`; each has an `id`, a `segment` as a neutral tree, and `steps` that feed data and say who must
be in (`members`) and out (`not_members`).
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from keepwell.model.problems import DefinitionError
from keepwell.segments.data_files import load_history
from keepwell.segments.evaluation import members
from keepwell.segments.reading import parse_criteria

START: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""The moment that the seconds of a case count from."""


@dataclass(frozen=True)
class Result:
    """How a case went; `why` is empty when it passed."""

    id: str
    why: str = ""


@dataclass
class Fed:
    """What a case has fed so far: the lines of the data files."""

    traits: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)

    def add(self, step: dict[str, Any]) -> None:
        """Feed what a step brings."""
        for entity, at, values in step.get("traits", []):
            self.traits.append(line(entity=entity, time=moment(at), values=plain(values)))
        for entity, at, name, properties in step.get("events", []):
            self.events.append(line(entity=entity, time=moment(at), name=name, properties=plain(properties)))
        for listed, entity, *inside in step.get("manual", []):
            self.lists.append(line(list=str(listed), entity=entity, **{"in": inside[0] if inside else True}))

    def write(self, folder: Path) -> None:
        """Write the data files."""
        for name in ("traits", "events", "lists"):
            (folder / f"{name}.ndjson").write_text("".join(getattr(self, name)), encoding="utf-8")


def line(**values: Any) -> str:
    """One line of a data file."""
    return json.dumps(values) + "\n"


def moment(seconds: float) -> str:
    """A case's time as a moment."""
    return (START + timedelta(microseconds=round(seconds * 1e6))).isoformat()


def plain(data: Any) -> Any:
    """Data with every `{"$t": seconds}` as a moment."""
    if isinstance(data, dict):
        return moment(data["$t"]) if set(data) == {"$t"} else {key: plain(value) for key, value in data.items()}
    return [plain(item) for item in data] if isinstance(data, list) else data


def run_case(case: dict[str, Any]) -> Result:
    """Run all steps of a case."""
    fed, segment = Fed(), case["segment"]
    for number, step in enumerate(case["steps"], 1):
        fed.add(step)
        segment = step.get("new_segment", segment)
        try:
            found = evaluated(fed, segment, {**named(case), **named(step)}, step["at"])
        except (DefinitionError, ValueError, KeyError, duckdb.Error) as error:
            return Result(case["id"], f"step {number}: {type(error).__name__}: {error}")
        why = difference(step, found)
        if why:
            return Result(case["id"], f"step {number} (at {step['at']:g}): {why}")
    return Result(case["id"])


def named(part: dict[str, Any]) -> dict[str, Any]:
    """The other segments that a case or a step defines by name, under any key that ends in `segments`."""
    found: dict[str, Any] = {}
    for key, value in part.items():
        if key.endswith("segments") and isinstance(value, dict):
            found |= value
        elif key.endswith("segments") and isinstance(value, list):
            found |= {str(s.get("id", s.get("name"))): s.get("segment", s.get("definition")) for s in value}
    return found


def evaluated(fed: Fed, segment: Any, others: dict[str, Any], at: float) -> set[str]:
    """Who is in the segment."""
    text = json.dumps(plain({"when": segment, "segments": others} if others else segment))
    criteria = parse_criteria(text)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        fed.write(Path(folder))
        history, problems = load_history(connection, Path(folder))
        if problems:
            raise ValueError(problems[0])
        return set(
            members(
                connection,
                criteria.when,
                history,
                at=START + timedelta(microseconds=round(at * 1e6)),
                segments=criteria.segments,
            )
        )


def difference(step: dict[str, Any], found: set[str]) -> str:
    """What is wrong with the members of a step; empty when nothing is."""
    wanted, unwanted = set(step["members"]), step.get("not_members")
    extra = found - wanted if unwanted is None else found & set(unwanted)
    parts = [f"missing {', '.join(sorted(wanted - found))}" if wanted - found else ""]
    parts.append(f"wrongly in {', '.join(sorted(extra))}" if extra else "")
    return "; ".join(filter(None, parts))


def run_cases(path: Path) -> Iterator[Result]:
    """The result of every case of a file, in its order."""
    data = json.loads(path.read_text(encoding="utf-8"))
    yield from map(run_case, data["cases"] if isinstance(data, dict) else data)


def main(arguments: Sequence[str]) -> int:
    """Print the results; the exit code says whether all passed."""
    if len(arguments) != 1:
        print("usage: python -m tests.segment_cases FILE", file=sys.stderr)
        return 2
    failed = 0
    try:
        for result in run_cases(Path(arguments[0])):
            print(f"{result.id}: FAILED: {result.why}" if result.why else f"{result.id}: ok")
            failed += bool(result.why)
    except (OSError, ValueError, KeyError) as error:
        print(f"{arguments[0]}: cannot be read as cases: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
