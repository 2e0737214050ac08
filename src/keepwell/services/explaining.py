"""The explain verb: why a customer has its score, segments and signals, and what changed between two dates."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from keepwell.evaluation.compiled import CompiledModel, compile_model
from keepwell.evaluation.explain import Explanation, explain_row
from keepwell.evaluation.ledger import Ledger, change_ledger, take_snapshot
from keepwell.evaluation.model_run import Evaluation, evaluate_model
from keepwell.reporting.words import day as day_words
from keepwell.services.finding import find_customer
from keepwell.services.reading import Published, Row, read_published
from keepwell.services.snapshot_frames import customer_frame
from keepwell.services.workspace import Workspace, WorkspaceError

Waits = Callable[[str], None] | None


@dataclass(frozen=True)
class Explained:
    """One customer on one published date, by the model it was published with."""

    name: str
    status: str
    published: Published
    compiled: CompiledModel
    evaluation: Evaluation
    explanation: Explanation
    notes: tuple[str, ...] = ()

    @property
    def row(self) -> int:
        """The row of the date itself; the rows before it are earlier days."""
        return self.evaluation.frame.rows - 1

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON. The contributions of a score add up to it."""
        model = self.compiled.model.model
        data = self.explanation.as_dict()
        scores = [_renamed(score, "lines", "contributions") for score in data.pop("scores")]
        head = {"customer_id": data.pop("customer_id"), "name": self.name, "as_of": data.pop("as_of")}
        about = {"name": model.name, "version": model.version, "hash": self.compiled.loaded.hash}
        return {**head, "status": self.status, "model": about, "scores": scores, **data}


@dataclass(frozen=True)
class MetricChange:
    """A metric whose value is another one."""

    metric: str
    before: str
    after: str


@dataclass(frozen=True)
class Changed:
    """What is different between two dates. `ledger` is None when one of the models has no health score."""

    since: date
    ledger: Ledger | None
    segments: tuple[str | None, str | None]
    signals_on: tuple[str, ...]
    signals_off: tuple[str, ...]
    metrics: tuple[MetricChange, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON. The entries of the ledger add up to its difference."""
        before, after = self.segments
        return {
            "since": self.since.isoformat(),
            "ledger": None if self.ledger is None else self.ledger.as_dict(),
            "primary": {"before": before, "after": after},
            "signals": {"on": list(self.signals_on), "off": list(self.signals_off)},
            "metrics": [vars(change) for change in self.metrics],
        }


def explain_customer(
    workspace: Workspace, *, customer: str, as_of: date | None = None, on_wait: Waits = None
) -> Explained:
    """Explain a customer (by id or exact name) on a published date, the latest if left out.

    Raises WorkspaceError when there is no such date or customer, or when it had left by the date asked for; without a
    date, a customer who left is explained on the last published day before that.
    """
    published = read_published(workspace, as_of)
    found = find_customer(published, customer)
    notes: tuple[str, ...] = ()
    if found["status"] == "churned":
        published, notes = before_leaving(published, found, asked=as_of is not None)
        found = find_customer(published, found["customer_id"])
    return explain_found(published, found, notes, on_wait=on_wait)


def explain_found(
    published: Published, found: Row, notes: tuple[str, ...] = (), *, alone: bool = False, on_wait: Waits = None
) -> Explained:
    """Explain a customer from its row (id, name, status); `alone` reads what is published and nothing else."""
    compiled = compile_model(published.model)
    frame = customer_frame(published, compiled, found["customer_id"], alone=alone, on_wait=on_wait)
    evaluation = evaluate_model(compiled, frame, lean=False)
    explanation = explain_row(evaluation, frame.rows - 1)
    name = str(found["name"] or found["customer_id"])
    return Explained(name, str(found["status"]), published, compiled, evaluation, explanation, notes)


def explain_change(workspace: Workspace, now: Explained, *, since: date, on_wait: Waits = None) -> Changed:
    """What changed for an explained customer since an earlier published date; models may differ."""
    if since >= now.published.as_of:
        raise WorkspaceError(f"--since {since} must be before {now.published.as_of}")
    customer = now.explanation.customer_id
    if not read_published(workspace, since).rows(["customer_id"], customer=customer):
        raise WorkspaceError(f"{now.name} was not a customer yet on {since}; choose a later date with --since")
    return changed_between(explain_customer(workspace, customer=customer, as_of=since, on_wait=on_wait), now)


def changed_between(then: Explained, now: Explained) -> Changed:
    """What is different between two explained dates of a customer."""
    old, new = _signals(then.explanation), _signals(now.explanation)
    return Changed(
        since=then.published.as_of,
        ledger=_ledger(then, now),
        segments=(then.explanation.primary, now.explanation.primary),
        signals_on=tuple(name for name in new if name not in old),
        signals_off=tuple(name for name in old if name not in new),
        metrics=_metric_changes(then.explanation, now.explanation),
    )


def _ledger(then: Explained, now: Explained) -> Ledger | None:
    before, after = then.compiled.health(), now.compiled.health()
    if before is None or after is None:
        return None
    old = take_snapshot(then.evaluation, then.row, before)
    return change_ledger(old, take_snapshot(now.evaluation, now.row, after))


def _metric_changes(old: Explanation, new: Explanation) -> tuple[MetricChange, ...]:
    names = dict.fromkeys([*old.metrics, *new.metrics])
    pairs = ((name, old.metrics.get(name, ""), new.metrics.get(name, "")) for name in names)
    return tuple(MetricChange(*pair) for pair in pairs if pair[1] != pair[2])


def _signals(explanation: Explanation) -> list[str]:
    return [signal.name for signal in explanation.signals if signal.on]


def before_leaving(published: Published, found: Row, *, asked: bool) -> tuple[Published, tuple[str, ...]]:
    """The last published day on which a customer was there, with a note; WorkspaceError when another was asked for."""
    left = found["churned_on"]
    days = [day for day in published.workspace.snapshots.dates() if left is None or day < left]
    who = f"{found['name']} left" + (f" on {day_words(left)}" if left else "")
    if asked or left is None or not days:
        hint = f"; the last published day before that is {day_words(days[-1])}" if left and days else ""
        raise WorkspaceError(f"{who}: nothing is computed for customers who left{hint}")
    return Published(published.workspace, days[-1]), (f"{who}; explained as of {day_words(days[-1])}",)


def _renamed(data: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if key == old else key: value for key, value in data.items()}
