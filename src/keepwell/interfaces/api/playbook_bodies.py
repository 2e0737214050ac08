"""What is said of playbooks, their runs and approvals."""

from datetime import date, datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from keepwell.interfaces.api.fields import PersonBrief
from keepwell.interfaces.workspace.pages.playbooks import PlaybookLine
from keepwell.interfaces.workspace.playbook_steps import StepShown
from keepwell.reporting.effects import Effect
from keepwell.services.team.playing.budgets import KeptBudget
from keepwell.services.team.playing.comparing import FEWEST, Arm, Comparison
from keepwell.services.team.playing.timelines import Moment, RunTimeline
from keepwell.store.models import Approval, PlaybookRun

BudgetState = Literal["none", "waiting", "done", "failed"]


class PlaybookBody(Schema):
    """A playbook and how it goes, over the customers whom the token's person sees."""

    name: str
    label: str
    trigger: str = Field(description="What starts it, in words; empty for one that the model has no longer.")
    in_model: bool
    on: bool
    started: int
    running: int
    done: int
    answered: int = Field(description="Runs in which the customer answered.")
    succeeded: int = Field(description="Runs that reached the goal.")
    held_out: int = Field(description="Customers who were left alone, to compare with.")
    response_rate: float | None = Field(description="Answered of all started; null before the first.")
    success_rate: float | None = Field(description="Succeeded of all done; null before the first.")

    @classmethod
    def of(cls, line: PlaybookLine) -> "PlaybookBody":
        """A line of the list."""
        figures = line.figures
        counts: dict[str, Any] = {name: getattr(figures, name) for name in cls.model_fields if hasattr(figures, name)}
        in_model = line.playbook is not None
        return cls(name=line.name, label=line.label, trigger=line.trigger, in_model=in_model, on=line.on, **counts)


class WayBody(Schema):
    """A way out of a step: when it is taken (empty for the only one), and to which step (or end)."""

    label: str
    to: str


class StepBody(Schema):
    """A step in words."""

    number: int
    name: str
    kind: str
    title: str
    details: list[str]
    when: str = Field(description="Not before; empty for right after the step before it.")
    within: str = Field(description="The deadline of whoever has to act.")
    only_if: str
    message: str
    ways: list[WayBody]

    @classmethod
    def of(cls, step: StepShown) -> "StepBody":
        """A step of a playbook."""
        plain = {name: getattr(step, name) for name in cls.model_fields if name not in ("details", "ways")}
        ways = [WayBody(label=one.label, to=one.to) for one in step.exits]
        return cls(**plain, details=list(step.details), ways=ways)


class IntervalBody(Schema):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, effect: Effect | None) -> "IntervalBody | None":
        """An effect, where there is one."""
        return None if effect is None else cls(value=effect.value, low=effect.low, high=effect.high)


class ArmBody(Schema):
    """One side of a comparison: customers whose days are over."""

    customers: int
    reached: int = Field(description="Customers who reached the goal within the days.")
    going_on: int = Field(description="Customers whose days are not over yet; they are not counted.")
    share: IntervalBody | None

    @classmethod
    def of(cls, arm: Arm) -> "ArmBody":
        """A side."""
        share = IntervalBody.of(arm.share)
        return cls(customers=arm.customers, reached=arm.reached, going_on=arm.going_on, share=share)


class ComparisonBody(Schema):
    """Customers for whom it started against those who were left alone, over the same days."""

    days: int
    treated: ArmBody
    held_out: ArmBody
    difference: IntervalBody | None = Field(
        description=f"Share with it less share without (Newcombe's interval); null below {FEWEST} customers on a side."
    )

    @classmethod
    def of(cls, found: Comparison | None) -> "ComparisonBody | None":
        """A comparison, where there is one."""
        if found is None:
            return None
        treated, held_out = ArmBody.of(found.treated), ArmBody.of(found.held_out)
        difference = IntervalBody.of(found.difference)
        return cls(days=found.days, treated=treated, held_out=held_out, difference=difference)


class PlaybookDetail(PlaybookBody):
    """A playbook with its steps."""

    steps: list[StepBody]
    comparison: ComparisonBody | None = Field(description="Null where nobody is left alone, or it has no goal.")


class BudgetBody(Schema):
    """The replay of a playbook: where it stands, and what came out."""

    state: BudgetState
    progress: float
    same: bool = Field(description="Whether the playbook is still as it was then.")
    as_of: date | None = Field(description="The last day of the replay.")
    error: str
    budget: dict[str, Any] | None = Field(description="Customers, and what is asked for by week and by owner.")

    @classmethod
    def of(cls, kept: KeptBudget) -> "BudgetBody":
        """What is known of a budget."""
        state: BudgetState = "none" if kept.job is None else "waiting" if kept.waiting else "done"
        state = "failed" if kept.failed else state
        return cls(
            state=state,
            progress=kept.job.progress if kept.job else 0.0,
            same=kept.same,
            as_of=kept.job.as_of if kept.job else None,
            error=kept.failed,
            budget=kept.result,
        )


class RunBody(Schema):
    """One customer's way through one playbook."""

    id: int
    playbook: str
    version: str
    customer_id: str
    company: str
    entry: int = Field(description="The customer's runs of this playbook, counted from 1.")
    started_at: datetime
    started_by: str
    step: str
    phase: str = Field(description="waiting, asking or ended.")
    waits_until: datetime | None
    ended_at: datetime | None
    reason: str
    success: bool
    responded_at: datetime | None

    @classmethod
    def of(cls, run: PlaybookRun) -> "RunBody":
        """A run."""
        plain = {name: getattr(run, name) for name in cls.model_fields if name not in ("id", "waits_until")}
        return cls(**plain, id=run.pk, waits_until=run.state.get("waits_until"))


class MomentBody(Schema):
    """One line of a run's history, and what it caused."""

    at: datetime
    step: str
    what: str
    kind: str
    title: str
    due: datetime | None
    refused: str
    result: dict[str, Any] = Field(description="Ids of what came of it: task, outbox, approval, offer.")

    @classmethod
    def of(cls, moment: Moment) -> "MomentBody":
        """A line of a timeline."""
        plain = {name: getattr(moment, name) for name in cls.model_fields if name != "result"}
        return cls(**plain, result=dict(moment.result or {}))


class RunDetail(RunBody):
    """A run with its history."""

    moments: list[MomentBody]

    @classmethod
    def told(cls, run: PlaybookRun, timeline: RunTimeline) -> "RunDetail":
        """A run and its timeline."""
        return cls(**RunBody.of(run).dict(), moments=[MomentBody.of(moment) for moment in timeline.moments])


class ApprovalBody(Schema):
    """A question that somebody has to answer before something goes on."""

    id: int
    kind: str
    run_id: int | None
    customer_id: str
    company: str
    question: str
    asked_role: str
    asked_by: str
    asked_at: datetime
    due_at: datetime | None = Field(description="Nobody's answer until then is a no.")
    state: Literal["open", "given", "refused", "expired", "gone"]
    decided_by: PersonBrief | None
    decided_at: datetime | None
    note: str
    why_not: str = Field(description="Why the token's person cannot answer it; empty when it can.")

    @classmethod
    def of(cls, approval: Approval, why_not: str) -> "ApprovalBody":
        """A question."""
        person = approval.decided_by
        decided = PersonBrief(id=person.pk, email=person.email, name=person.shown_name) if person else None
        plain = {
            name: getattr(approval, name) for name in cls.model_fields if name not in ("id", "decided_by", "why_not")
        }
        return cls(**plain, id=approval.pk, decided_by=decided, why_not=why_not)
