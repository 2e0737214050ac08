"""Plan before apply: what a model change would do, computed from the data and changing nothing."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from keepwell.metrics.frame import day_number
from keepwell.model.diff import diff_models
from keepwell.model.loader import LoadedModel
from keepwell.model.problems import DefinitionError
from keepwell.services.planning.comparing import Comparison
from keepwell.services.planning.engines import Engines
from keepwell.services.planning.figures import ModelPlan, Replay
from keepwell.services.planning.replay import PlanCancelled, Step, replay_models
from keepwell.services.planning.sides import Person, Sides, place_sides
from keepwell.services.planning.sources import Sources, current_model, load_sources, proposed_sources
from keepwell.services.reading import Published, read_published
from keepwell.services.workspace import Workspace

__all__ = ["ModelPlan", "PlanCancelled", "plan_model", "proposed_model"]

REPLAY_DAYS: Final = 90
_COVERAGE_DROP: Final = 0.01
_MANY: Final = 0.2


def plan_model(
    workspace: Workspace,
    proposed: Path | Sources | LoadedModel,
    *,
    against: LoadedModel | None = None,
    replay_days: int = REPLAY_DAYS,
    customers: Collection[str] | None = None,
    step: Step = None,
    cancelled: Callable[[], bool] | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> ModelPlan:
    """Compare a proposed model with the workspace's own on the last published date and over the days before.

    Parameters
    ----------
    proposed
        A directory, the texts of its files by name, or a model that is loaded already.
    against
        The model to compare with; the workspace's model on disk if left out.
    replay_days
        How many days to replay; 0 for none.
    customers
        Only these customers are looked at; all if left out.

    Raises
    ------
    DefinitionError
        With every problem of the proposed model; nothing was computed.
    WorkspaceError
        When nothing is published yet.
    PlanCancelled
        When `cancelled` said so between two steps.
    """
    after = proposed_model(proposed)
    published = read_published(workspace)
    before = against or comparable_model(workspace, published)
    day = day_number(published.as_of)
    with workspace.warehouse("plan", on_wait) as warehouse:
        engines = Engines(warehouse, before, after)
        try:
            _told(step, cancelled, 0)
            sides = place_sides(*engines.day(day), people_of(published), customers)
            _told(step, cancelled, 1)
            replay = None
            if replay_days > 0:
                replay = replay_models(engines, day, replay_days, only=customers, step=step, cancelled=cancelled)
        finally:
            engines.forget()
    return _plan(published, before, after, sides, replay)


def proposed_model(proposed: Path | Sources | LoadedModel) -> LoadedModel:
    """Check a proposed model; raises DefinitionError with every problem."""
    if isinstance(proposed, LoadedModel):
        return proposed
    return load_sources(proposed_sources(proposed), shown=str(proposed) if isinstance(proposed, Path) else "")


def comparable_model(workspace: Workspace, published: Published) -> LoadedModel:
    """The model on disk, or the published one where the one on disk is broken."""
    try:
        return current_model(workspace)
    except DefinitionError:
        return published.model


def people_of(published: Published) -> dict[str, Person]:
    """Name, owner and ARR of the customers of a published date."""
    rows = published.rows(["customer_id", "name", "owner_email", "arr"])
    return {row["customer_id"]: (row["name"] or "", row["owner_email"] or "", row["arr"]) for row in rows}


def _told(step: Step, cancelled: Callable[[], bool] | None, done: int) -> None:
    if step:
        step("compare", done, 1)
    if cancelled and cancelled():
        raise PlanCancelled("the plan was cancelled; nothing was changed")


def _plan(
    published: Published, before: LoadedModel, after: LoadedModel, sides: Sides, replay: Replay | None
) -> ModelPlan:
    found = Comparison(sides)
    return ModelPlan(
        as_of=published.as_of,
        before_name=_name(before),
        after_name=_name(after),
        before_hash=before.hash,
        after_hash=after.hash,
        changes=diff_models(before.model, after.model),
        customers=len(sides.ids),
        changed=int(found.moved.sum()),
        arr=found.arr(),
        scores=found.scores(),
        segments=found.segment_moves(),
        segment_counts=found.segment_counts(),
        signals=found.signals(),
        tasks=found.tasks(),
        replay=replay,
        top=found.top(),
        warnings=tuple(_warnings(after, found)),
    )


def _name(loaded: LoadedModel) -> str:
    return f"{loaded.model.model.name} {loaded.model.model.version}"


def _warnings(after: LoadedModel, found: Comparison) -> Iterator[str]:
    yield from (str(problem) for problem in after.problems)
    for score in found.scores():
        old, new = score.coverage_before, score.coverage_after
        if old is not None and new is not None and old - new > _COVERAGE_DROP:
            yield f"{score.label}: the mean coverage falls from {old:.0%} to {new:.0%}"
        if score.unknown_after > score.unknown_before:
            more = score.unknown_after - score.unknown_before
            yield f"{score.label}: {more} more customers have no score (not enough data)"
    yield from _unknown_metrics(found)
    yield from _gone(found)
    share = found.moved.sum() / len(found.moved) if len(found.moved) else 0.0
    if share > _MANY:
        yield f"{share:.0%} of all customers change band or segment"


def _unknown_metrics(found: Comparison) -> Iterator[str]:
    """Metrics of the new model that are unknown for everybody, where the old one did not have them or knew them."""
    before, after = found.sides.before.evaluation, found.sides.after.evaluation
    for name in after.compiled.metrics():
        old = before.columns.get(name) if name in before.compiled.metrics() else None
        if not np.any(after.columns[name].known) and (old is None or np.any(old.known)):
            yield f"metric {name} is unknown for every customer"


def _gone(found: Comparison) -> Iterator[str]:
    """Definitions that are no longer there, and segments that are left without anybody."""
    before, after = (side.compiled.model for side in (found.sides.before, found.sides.after))
    for name in before.scores:
        if name not in after.scores:
            yield f"score {name} is no longer there"
    for row in found.segment_counts():
        if row.before and not row.after:
            yield f"segment {row.name} has nobody left in it (before: {row.before})"
