"""Who is in a segment made in the workspace: stored for every date by the daily run, evaluated where it is not."""

import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import duckdb

from keepwell.model.criteria_tree import BEHAVIOUR, LastEvent, happenings, leaves
from keepwell.model.problems import DefinitionError
from keepwell.model.yaml_source import Document, parse_yaml
from keepwell.segments.reading import parse_criteria
from keepwell.segments.trait_sql import CriteriaError
from keepwell.services.published import copies_current
from keepwell.services.segment_preview import evaluate_definition
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import WorkspaceSegment
from keepwell.warehouse.lock import WarehouseBusy
from keepwell.warehouse.scratch import scratch
from keepwell.warehouse.sql import literal

LOG: Final = logging.getLogger("keepwell.segments")
FOLDER: Final = "workspace_segments"
_MARKS: Final = "keepwell.segments"
_AT: Final = "keepwell.at"
_PATIENCE: Final = 1.0
"""For how many seconds a page waits when a condition asks for what is only in the warehouse."""
BUSY: Final = "A job is writing just now, and this condition reads the events themselves. Try again in a moment."

Peers = Mapping[str, WorkspaceSegment]


@dataclass(frozen=True)
class Found:
    """Who is in a segment on a date; `problem` says why nobody could be found, `unknown` of how many it is open."""

    ids: frozenset[str]
    problem: str = ""
    unknown: int = 0
    notes: tuple[str, ...] = ()
    stored: bool = False


@dataclass(frozen=True)
class _Stored:
    """The file of one date: the version of every segment in it, and their members."""

    marks: Mapping[str, str]
    members: Mapping[str, frozenset[str]]


def members_on(workspace: Workspace, segment: WorkspaceSegment, as_of: date, peers: Peers) -> Found:
    """The members of a segment on a published date.

    On an earlier date it is who was in it then, by the definition of that day, where that was stored; else, and after
    a change, the definition of today is evaluated on the date. `peers` are the segments that it may refer to.
    """
    stored = _stored(workspace, as_of)
    copies = copies_current(workspace)
    current = copies is None or as_of >= copies.as_of
    mark = stored.marks.get(segment.name, "") if stored else ""
    same = mark == _mark(segment) if current else mark.split(".")[0] == str(segment.pk)
    if stored and same:
        return Found(stored.members.get(segment.name, frozenset()), stored=True)
    if not segment.dynamic:
        return Found(frozenset(segment.members))
    return evaluated(workspace, segment.definition, as_of, peers, own=segment.name)


def evaluated(
    workspace: Workspace, definition: str, as_of: date, peers: Peers, *, own: str = "", exact: bool = False
) -> Found:
    """Who meets a definition, of the segment `own`, on a published date; what is wrong with it is the problem."""
    try:
        text, lists = resolved(definition, peers, own)
        copies = copies_current(workspace)
        return _evaluated(workspace, copies.version if copies else "", as_of, text, _frozen(lists), exact)
    except DefinitionError as error:
        return Found(frozenset(), "; ".join(problem.message for problem in error.problems))
    except WarehouseBusy:
        return Found(frozenset(), BUSY)
    except (CriteriaError, WorkspaceError) as error:
        return Found(frozenset(), str(error))


@lru_cache(maxsize=256)
def _evaluated(
    workspace: Workspace,
    _version: str,
    as_of: date,
    text: str,
    lists: tuple[tuple[str, tuple[str, ...]], ...],
    exact: bool,
) -> Found:
    """Published dates do not change under one version of the copies, so neither does the answer."""
    if not exact and reads_properties(text):
        exact, workspace = True, replace(workspace, wait_seconds=_PATIENCE)
    answer = evaluate_definition(workspace, text, as_of=as_of, lists=dict(lists), exact=exact)
    return Found(frozenset(answer.members), unknown=answer.unknown, notes=answer.notes)


def reads_properties(text: str) -> bool:
    """Whether a definition, whose names are resolved, tests properties of events: those are in the warehouse alone."""
    names = segments_named(condition_of(text))
    asked = [part for part in leaves(parse_criteria(text, segments=names).when) if isinstance(part, BEHAVIOUR)]
    return any(isinstance(part, LastEvent) or any(event.where for event in happenings(part)) for part in asked)


def resolved(definition: str, peers: Peers, own: str = "") -> tuple[str, dict[str, tuple[str, ...]]]:
    """A definition with the workspace's own segments that it refers to written out, and the fixed lists by name.

    Raises WorkspaceError when segments refer to each other in a circle.
    """
    lists: dict[str, tuple[str, ...]] = {}

    def walked(node: Any, above: tuple[str, ...]) -> Any:
        if isinstance(node, list):
            return [walked(item, above) for item in node]
        if not isinstance(node, dict):
            return node
        name = node.get("segment")
        if isinstance(name, str) and name in peers:
            return inside(peers[name], above)
        return {key: walked(value, above) for key, value in node.items()}

    def inside(peer: WorkspaceSegment, above: tuple[str, ...]) -> Any:
        if peer.name in above:
            raise WorkspaceError(f"Segments go in a circle: {' → '.join([*above, peer.name])}.")
        if not peer.dynamic:
            lists[peer.name] = tuple(peer.members)
            return {"list": peer.name}
        return walked(condition_of(peer.definition), (*above, peer.name))

    node = condition_of(definition)
    if not segments_named(node) & peers.keys():
        return definition, lists
    return json.dumps({"when": walked(node, (own,) if own else ())}, default=str), lists


def condition_of(definition: str) -> Any:
    """The condition in a definition, as plain data; raises DefinitionError when it is no YAML."""
    document = parse_yaml(definition, Document("definition"))
    if document.problems:
        raise DefinitionError(document.problems)
    data = document.data
    return data["when"] if isinstance(data, dict) and "when" in data else data


def refresh_segments(workspace: Workspace, as_of: date, now: datetime, *, keep_history: bool = False) -> int:
    """Store who is in every segment of the workspace on a published date; returns how many could be evaluated.

    The daily run calls it once the date is published. Repeating it gives the same file. `keep_history` leaves who was
    in a segment by a definition that has changed since: it can be evaluated no more.
    """
    every = list(WorkspaceSegment.objects.order_by("name"))
    marks, members = _history(workspace, as_of, every) if keep_history else ({}, {})
    for segment in every:
        if segment.name in marks:
            continue
        peers = {one.name: one for one in every if _may_use(segment, one)}
        found = (
            evaluated(workspace, segment.definition, as_of, peers, own=segment.name, exact=True)
            if segment.dynamic
            else Found(frozenset(segment.members))
        )
        if found.problem:
            LOG.warning("segment %s on %s: %s", segment.name, as_of, found.problem)
            continue
        marks[segment.name], members[segment.name] = _mark(segment), found.ids
    _write(workspace, as_of, marks, members, now)
    return len(marks)


def refresh_stored(workspace: Workspace, first: date, last: date, now: datetime) -> int:
    """After days were computed anew: what is stored of them is evaluated anew, too; returns how many days."""
    days = sorted(day for day in stored_dates(workspace) if first <= day <= last)
    for day in days:
        refresh_segments(workspace, day, now, keep_history=day != workspace.snapshots.latest())
    return len(days)


def _history(
    workspace: Workspace, as_of: date, every: Iterable[WorkspaceSegment]
) -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    """The segments of a date that were stored by a definition of before, and their members."""
    stored = _stored(workspace, as_of)
    if stored is None:
        return {}, {}
    older = {
        one.name: mark
        for one in every
        if (mark := stored.marks.get(one.name, _mark(one))) != _mark(one) and mark.split(".")[0] == str(one.pk)
    }
    return older, {name: stored.members.get(name, frozenset()) for name in older}


def _may_use(segment: WorkspaceSegment, other: WorkspaceSegment) -> bool:
    """Whether a segment may refer to another one: its owner's own ones, and those that others see as well."""
    return other.visibility != WorkspaceSegment.Visibility.PRIVATE or other.owner_id == segment.owner_id


def stored_dates(workspace: Workspace) -> frozenset[date]:
    """The dates whose members are stored."""
    return frozenset(date.fromisoformat(path.stem) for path in _folder(workspace).glob("????-??-??.parquet"))


def _write(
    workspace: Workspace, as_of: date, marks: Mapping[str, str], members: Mapping[str, Iterable[str]], now: datetime
) -> None:
    folder = _folder(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{as_of}.parquet"
    fresh = folder / f".{as_of}.{os.getpid()}.tmp"
    rows = [(name, customer) for name in sorted(members) for customer in sorted(members[name])]
    about = f"{{'{_MARKS}': {literal(json.dumps(dict(marks)))}, '{_AT}': {literal(now.isoformat())}}}"
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE found (segment VARCHAR, customer_id VARCHAR)")
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            connection.execute("INSERT INTO found SELECT unnest(?), unnest(?)", columns)
        connection.execute(f"COPY found TO {literal(str(fresh))} (FORMAT parquet, KV_METADATA {about})")
    _sync(fresh)
    os.replace(fresh, target)
    _sync(folder)


def _stored(workspace: Workspace, as_of: date) -> _Stored | None:
    path = _folder(workspace) / f"{as_of}.parquet"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int) -> _Stored:
    members: dict[str, set[str]] = {}
    with scratch() as connection:
        about = connection.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(path)]).fetchall()
        found = connection.execute("SELECT segment, customer_id FROM read_parquet(?)", [str(path)]).fetchall()
    for name, customer in found:
        members.setdefault(name, set()).add(customer)
    said = {bytes(key).decode(): bytes(value).decode() for key, value in about}
    return _Stored(json.loads(said.get(_MARKS, "{}")), {name: frozenset(ids) for name, ids in members.items()})


def _folder(workspace: Workspace) -> Path:
    return workspace.data_dir / FOLDER


def _mark(segment: WorkspaceSegment) -> str:
    return f"{segment.pk}.{segment.version}"


def _frozen(lists: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted(lists.items()))


def segments_named(node: Any) -> set[str]:
    """The segments that a condition names, as plain data."""
    if isinstance(node, list):
        return set().union(*map(segments_named, node))
    if not isinstance(node, dict):
        return set()
    own = {node["segment"]} if isinstance(node.get("segment"), str) else set()
    return own.union(*map(segments_named, node.values()))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
