"""Segments of the workspace as YAML: what goes into a model, a file or the builder's text."""

from collections.abc import Collection, Mapping
from typing import Any

import yaml

from keepwell.services.segment_figures import ids_seen
from keepwell.services.team.access import scope_of
from keepwell.services.team.segment_membership import condition_of, resolved
from keepwell.services.team.segments import peers_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import Person, WorkspaceSegment


def exported(workspace: Workspace, person: Person, segment: WorkspaceSegment) -> str:
    """A segment as a pack's YAML, with a dimension of its own, so that it takes nobody from other segments.

    Segments of the workspace that it refers to are written out; lists have the customers that the person sees.
    """
    seen = ids_seen(workspace, scope_of(person))
    if segment.dynamic:
        text, lists = resolved(segment.definition, peers_of(person, segment.name))
        node = _without_lists(condition_of(text), lists, seen)
    else:
        node = _one_of(segment.members, seen)
    content: dict[str, Any] = {"label": segment.label}
    if segment.description:
        content["description"] = segment.description
    return as_yaml({"segments": {segment.name: {**content, "dimension": segment.name, "when": node}}})


def as_yaml(data: Any) -> str:
    """Plain data as YAML that people read."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)


def _without_lists(node: Any, lists: Mapping[str, Collection[str]], seen: frozenset[str] | None) -> Any:
    """A condition with the customers in place of the names of lists, which a model does not have."""
    if isinstance(node, list):
        return [_without_lists(item, lists, seen) for item in node]
    if not isinstance(node, dict):
        return node
    if node.keys() == {"list"} and node["list"] in lists:
        return _one_of(lists[node["list"]], seen)
    return {key: _without_lists(value, lists, seen) for key, value in node.items()}


def _one_of(customers: Collection[str], seen: frozenset[str] | None) -> dict[str, Any]:
    shown = sorted(one for one in customers if seen is None or one in seen)
    return {"attribute": "customer_id", "operator": "in", "value": shown}
