"""Definitions of the steps of a playbook: what is done, when, and where it goes on."""

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag

from keepwell.model.base import Scalar, Strict
from keepwell.model.condition_definitions import Condition
from keepwell.model.timelines import TimelineText

Response = Literal["reply", "click", "meeting", "login"]
Role = Literal["owner", "manager", "executive", "support", "sales", "product", "engineering", "billing_team"]
Recipient = Literal["primary", "champion", "decision_maker", "admin", "billing", "exec_sponsor", "all_users"]
Sender = Literal["owner", "executive", "team"]
Channel = Literal["workspace", "slack", "teams", "email", "webhook"]
OfferKind = Literal[
    "pause", "downgrade", "discount", "free_months", "free_sessions", "trial", "dedicated_support", "preview", "custom"
]
END: Final = "end"
StepName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Step(Strict):
    """What every step can say: its name, when it happens, and where it goes on."""

    name: StepName | None = None
    description: str = ""
    after: TimelineText | None = Field(None, description="Not before so long after the step before it.")
    day: int | None = Field(None, ge=0, le=730, description="Not before this day, counted from the start (day 0).")
    when: Condition | None = Field(None, description="Left out unless this holds at that moment.")
    then: StepName | None = Field(None, description="The step after it, if not the next; end ends the playbook.")


class Acting(Step):
    """A step with a deadline."""

    within: TimelineText | None = Field(None, description="The deadline for whoever has to act, from this moment.")


class EmailStep(Acting):
    """An e-mail to the customer."""

    email: str
    to: Recipient = "primary"
    sender: Sender = "owner"


class InAppStep(Acting):
    """A message inside the product."""

    in_app: str
    to: Recipient = "all_users"
    sender: Sender = "team"


class TaskStep(Acting):
    """Something for a person to do."""

    task: str = Field(min_length=1, description="The title, with {company} and metric names in braces.")
    play: str | None = Field(None, description="One open task per customer and play; PLAYBOOK.STEP if left out.")
    assign_to: Role = "owner"
    notes: str = ""
    checklist: tuple[str, ...] = ()


class NotifyStep(Acting):
    """A word to colleagues."""

    notify: str = Field(min_length=1, description="The text, with {company} and metric names in braces.")
    channel: Channel = "workspace"
    to: Role = "owner"


class Offer(Strict):
    """What is offered to a customer."""

    kind: OfferKind
    title: str = Field(min_length=1)
    months: int | None = Field(None, ge=1, le=12)
    percent: float | None = Field(None, gt=0, le=100)
    sessions: int | None = Field(None, ge=1, le=20)
    days: int | None = Field(None, ge=1, le=365)
    grace_days: int | None = Field(None, ge=1, le=365)
    expires: TimelineText = "14d"
    terms: str = ""


class OfferStep(Acting):
    """An offer to the customer, with the message that carries it."""

    offer: Offer
    message: str
    to: Recipient = "decision_maker"
    sender: Sender = "owner"


class WaitStep(Step):
    """Nothing happens for a while."""

    wait: TimelineText


class WaitUntilStep(Step):
    """Waits until a condition holds, `at_most` so long; `otherwise` is where it goes when that is over."""

    wait_until: Condition
    at_most: TimelineText
    otherwise: StepName | None = None


class WaitForStep(Step):
    """Waits for an answer, `at_most` so long; `otherwise` is where it goes when none came."""

    wait_for: tuple[Response, ...] = Field(min_length=1)
    at_most: TimelineText
    otherwise: StepName | None = None


class Arm(Strict):
    """One way out of a branch."""

    when: Condition
    go: StepName


class BranchStep(Step):
    """Goes the first way whose condition holds; unknown is not true."""

    branch: tuple[Arm, ...] = Field(min_length=1)
    otherwise: StepName | None = None


class ApprovalStep(Acting):
    """Waits for a person to say yes; `refused` is where it goes on a no, or when nobody answered `within` the time."""

    approval: str = Field(min_length=1, description="The question, with {company} and metric names in braces.")
    by: Role = "manager"
    refused: StepName = END


class AssignStep(Step):
    """Gives the customer to somebody."""

    assign: Role


class UpdateStep(Step):
    """Writes fields of the customer."""

    update: dict[str, Scalar] = Field(min_length=1)


class StartStep(Step):
    """Starts another playbook for the same customer."""

    start: str


class EndStep(Step):
    """Ends the playbook, with the reason."""

    end: str


STEPS: Final = {
    "email": EmailStep,
    "in_app": InAppStep,
    "task": TaskStep,
    "notify": NotifyStep,
    "offer": OfferStep,
    "wait": WaitStep,
    "wait_until": WaitUntilStep,
    "wait_for": WaitForStep,
    "branch": BranchStep,
    "approval": ApprovalStep,
    "assign": AssignStep,
    "update": UpdateStep,
    "start": StartStep,
    "end": EndStep,
}
CONTACTS: Final = (EmailStep, InAppStep, OfferStep)
"""The steps that reach the customer: quiet hours and the cap on messages are about them."""


def kind_by_key(kinds: dict[str, Any]) -> Any:
    """Tells definitions apart by the one key that each has of its own."""
    names = {kind: kind.__name__ for kind in kinds.values()}

    def found(value: Any) -> str | None:
        if isinstance(value, Strict):
            return names.get(type(value))
        if not isinstance(value, dict):
            return None
        return next((kind.__name__ for key, kind in kinds.items() if key in value), None)

    return found


AnyStep = Annotated[
    Annotated[EmailStep, Tag("EmailStep")]
    | Annotated[InAppStep, Tag("InAppStep")]
    | Annotated[TaskStep, Tag("TaskStep")]
    | Annotated[NotifyStep, Tag("NotifyStep")]
    | Annotated[OfferStep, Tag("OfferStep")]
    | Annotated[WaitStep, Tag("WaitStep")]
    | Annotated[WaitUntilStep, Tag("WaitUntilStep")]
    | Annotated[WaitForStep, Tag("WaitForStep")]
    | Annotated[BranchStep, Tag("BranchStep")]
    | Annotated[ApprovalStep, Tag("ApprovalStep")]
    | Annotated[AssignStep, Tag("AssignStep")]
    | Annotated[UpdateStep, Tag("UpdateStep")]
    | Annotated[StartStep, Tag("StartStep")]
    | Annotated[EndStep, Tag("EndStep")],
    Discriminator(
        kind_by_key(STEPS), custom_error_type="step", custom_error_message=f"a step has one of {', '.join(STEPS)}"
    ),
]
