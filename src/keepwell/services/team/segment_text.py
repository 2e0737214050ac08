"""Segments of the workspace as YAML: what goes into a model, a file or the builder's text."""

from collections.abc import Collection
from typing import Any

import yaml

from keepwell.services.team.segment_membership import Peers, condition_of, resolved
from keepwell.store.models import WorkspaceSegment


def exported(segment: WorkspaceSegment, peers: Peers, *, members: Collection[str] = ()) -> str:
    """A segment as a pack's YAML, with a dimension of its own, so that it takes nobody from other segments.

    `members` are the customers of a fixed list.
    """
    node = condition_of(segment.definition)
    if not segment.dynamic:
        node = {"attribute": "customer_id", "operator": "in", "value": list(members)}
    elif peers:
        node = condition_of(resolved(segment.definition, peers)[0])
    content: dict[str, Any] = {"label": segment.label}
    if segment.description:
        content["description"] = segment.description
    return as_yaml({"segments": {segment.name: {**content, "dimension": segment.name, "when": node}}})


def as_yaml(data: Any) -> str:
    """Plain data as YAML that people read."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)
