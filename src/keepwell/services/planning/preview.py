"""A look at a model change while it is being made: from the last snapshot's values, without waiting for anybody."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from keepwell.evaluation.compiled import CompiledModel, compile_model
from keepwell.evaluation.explain import Explanation, explain_row
from keepwell.evaluation.model_run import Evaluation, evaluate_model
from keepwell.metrics.frame import Frame, day_number
from keepwell.model.graph import Node, nodes
from keepwell.model.loader import LoadedModel
from keepwell.reporting.plain import Plain
from keepwell.services.finding import find_customer
from keepwell.services.planning.comparing import Comparison
from keepwell.services.planning.figures import NamedCount, ScoreShift
from keepwell.services.planning.frames import published_frames
from keepwell.services.planning.plan import comparable_model, people_of, proposed_model
from keepwell.services.planning.reuse import reusable_metrics, unavailable_metrics
from keepwell.services.planning.sides import place_sides
from keepwell.services.planning.sources import Sources
from keepwell.services.reading import Published, read_published
from keepwell.services.workspace import Workspace, WorkspaceError


@dataclass(frozen=True)
class Distribution(Plain):
    """Scores before and after; segments only for models without scores.

    `unavailable` names new or changed metrics whose values only a plan or a run computes.
    """

    as_of: date
    customers: int
    scores: tuple[ScoreShift, ...]
    segment_counts: tuple[NamedCount, ...]
    unavailable: tuple[str, ...]


@dataclass(frozen=True)
class TryOne:
    """One customer explained by the model as it is and as it would be, from the same values."""

    customer_id: str
    name: str
    as_of: date
    before: Explanation
    after: Explanation
    unavailable: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        head = {"customer_id": self.customer_id, "name": self.name, "as_of": self.as_of.isoformat()}
        sides = {"before": self.before.as_dict(), "after": self.after.as_dict()}
        return {**head, **sides, "unavailable": list(self.unavailable)}


def distribution(
    workspace: Workspace, proposed: Sources | LoadedModel, *, customers: Collection[str] | None = None
) -> Distribution:
    """How scores are spread before and after a change, on the last published date.

    Raises DefinitionError with every problem of the proposed model, WorkspaceError when nothing is published.
    """
    after = proposed_model(proposed)
    published = read_published(workspace)
    before = comparable_model(workspace, published)
    compiled = [_scores_only(model) for model in (before, after)]
    frames = published_frames(published, compiled)
    one, other = (_evaluated(published, c, frame) for c, frame in zip(compiled, frames, strict=True))
    sides = place_sides(one, other, people_of(published), customers)
    found = Comparison(sides)
    missing = _unavailable(published, after)
    counted = () if found.scores() else found.segment_counts()
    return Distribution(published.as_of, len(sides.ids), found.scores(), counted, missing)


def try_one(workspace: Workspace, proposed: Sources | LoadedModel, customer_id: str) -> TryOne:
    """Explain one customer (by id or exact name) before and after a change, on the last published date.

    Raises DefinitionError with every problem of the proposed model, WorkspaceError when there is no such customer.
    """
    after = proposed_model(proposed)
    published = read_published(workspace)
    found = find_customer(published, customer_id)
    customer = str(found["customer_id"])
    compiled = [compile_model(model) for model in (comparable_model(workspace, published), after)]
    frames = published_frames(published, compiled, customers=[customer])
    explained = [_explained(published, c, frame, customer) for c, frame in zip(compiled, frames, strict=True)]
    name, missing = str(found["name"] or customer), _unavailable(published, after)
    return TryOne(customer, name, published.as_of, explained[0], explained[1], missing)


def _explained(published: Published, compiled: CompiledModel, frame: Frame, customer: str) -> Explanation:
    if not frame.rows or int(frame.days[-1]) != day_number(published.as_of):
        raise WorkspaceError(f"{customer} is not looked at on {published.as_of}: it left, or its status is not active")
    return explain_row(evaluate_model(compiled, frame, lean=False), frame.rows - 1)


def _evaluated(published: Published, compiled: CompiledModel, frame: Frame) -> Evaluation:
    evaluation = evaluate_model(compiled, frame)
    here = frame.days == day_number(published.as_of)
    return evaluation if here.all() else evaluation.take(here)


def _unavailable(published: Published, model: LoadedModel) -> tuple[str, ...]:
    return unavailable_metrics(model.model, reusable_metrics(published.model.model, model.model))


def _scores_only(loaded: LoadedModel) -> CompiledModel:
    """The model with what its scores are made of: less to read, and a shorter past, which keeps a preview instant.

    A model without scores is looked at as a whole.
    """
    model = loaded.model
    if not model.scores:
        return compile_model(loaded)
    used = _reached(
        model_nodes := {node.key: node for node in nodes(model)}, [f"score:{name}" for name in model.scores]
    )
    grouped = any(model_nodes[key].kind in ("segment", "segments", "signal") for key in used)
    persons = {name for name, metric in model.metrics.items() if metric.entity == "person"}
    kept = {n: m for n, m in model.metrics.items() if grouped or n in persons or f"metric:{n}" in used}
    update = {"metrics": kept} if grouped else {"metrics": kept, "segments": {}, "signals": {}}
    return compile_model(LoadedModel(model.model_copy(update=update), loaded.hash))


def _reached(known: dict[str, Node], starts: list[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        key = waiting.pop()
        if key not in found and key in known:
            found.add(key)
            waiting += [*known[key].inputs, *(earlier.node for earlier in known[key].history)]
    return found
