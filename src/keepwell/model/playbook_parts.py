"""The parts of playbooks: conditions, texts, and the flow from step to step."""

from collections.abc import Iterator
from dataclasses import dataclass

from keepwell.model.condition_definitions import Condition
from keepwell.model.definitions import Model
from keepwell.model.playbook_definitions import Playbook
from keepwell.model.step_definitions import (
    END,
    AnyStep,
    ApprovalStep,
    BranchStep,
    EmailStep,
    EndStep,
    InAppStep,
    NotifyStep,
    OfferStep,
    TaskStep,
    WaitForStep,
    WaitStep,
    WaitUntilStep,
)
from keepwell.model.yaml_source import KeyPath

Waiting = WaitStep | WaitForStep | WaitUntilStep | ApprovalStep


@dataclass(frozen=True)
class Way:
    """A way out of a step: where it goes, and the key that says so (nothing for the next step)."""

    to: str
    path: KeyPath = ()


def step_names(playbook: Playbook) -> tuple[str, ...]:
    """The name of every step: its own, or `step_3` for the third."""
    return tuple(step.name or f"step_{number}" for number, step in enumerate(playbook.steps, 1))


def ways(playbook: Playbook, index: int) -> tuple[Way, ...]:
    """Where a step can go on: names of steps, or `end`."""
    step, names = playbook.steps[index], step_names(playbook)
    following = names[index + 1] if index + 1 < len(names) else END
    onwards = Way(step.then, ("then",)) if step.then is not None else Way(following)
    if isinstance(step, EndStep):
        return (Way(END), *((onwards,) if step.when is not None else ()))
    if isinstance(step, BranchStep):
        arms = tuple(Way(arm.go, ("branch", i, "go")) for i, arm in enumerate(step.branch))
        rest = Way(step.otherwise, ("otherwise",)) if step.otherwise is not None else onwards
        return (*arms, rest) if step.when is None else (*arms, rest, onwards)
    if isinstance(step, ApprovalStep):
        return onwards, Way(step.refused, ("refused",))
    if isinstance(step, WaitForStep | WaitUntilStep) and step.otherwise is not None:
        return onwards, Way(step.otherwise, ("otherwise",))
    return (onwards,)


def takes_time(step: AnyStep) -> bool:
    """Whether a step surely lets time pass each time it is reached."""
    if step.after is not None:
        return True
    return isinstance(step, Waiting) and step.when is None and not isinstance(step, WaitUntilStep | WaitForStep)


def message_of(step: AnyStep) -> tuple[str, str] | None:
    """The key and the name of the message that a step sends."""
    match step:
        case EmailStep():
            return "email", step.email
        case InAppStep():
            return "in_app", step.in_app
        case OfferStep():
            return "message", step.message
    return None


def playbook_conditions(model: Model) -> Iterator[tuple[KeyPath, Condition]]:
    """Every condition of playbooks with its place."""
    for name, playbook in model.playbooks.items():
        path: KeyPath = ("playbooks", name)
        if playbook.audience is not None:
            yield (*path, "audience"), playbook.audience
        if playbook.goal is not None:
            yield (*path, "goal"), playbook.goal
        for index, step in enumerate(playbook.steps):
            yield from _step_conditions(step, (*path, "steps", index))


def _step_conditions(step: AnyStep, path: KeyPath) -> Iterator[tuple[KeyPath, Condition]]:
    if step.when is not None:
        yield (*path, "when"), step.when
    if isinstance(step, WaitUntilStep):
        yield (*path, "wait_until"), step.wait_until
    if isinstance(step, BranchStep):
        for index, arm in enumerate(step.branch):
            yield (*path, "branch", index, "when"), arm.when


def playbook_texts(model: Model) -> Iterator[tuple[KeyPath, str]]:
    """Every text of a step with {placeholders}."""
    for name, playbook in model.playbooks.items():
        for index, step in enumerate(playbook.steps):
            path: KeyPath = ("playbooks", name, "steps", index)
            match step:
                case TaskStep():
                    yield (*path, "task"), step.task
                    yield (*path, "notes"), step.notes
                    for number, item in enumerate(step.checklist):
                        yield (*path, "checklist", number), item
                case NotifyStep():
                    yield (*path, "notify"), step.notify
                case ApprovalStep():
                    yield (*path, "approval"), step.approval
