"""The steps of a playbook as people read them: what each does, when, for whom, and where it goes on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from keepwell.interfaces.workspace.playbook_words import (
    ANSWERS,
    RECIPIENTS,
    ROLES,
    SENDERS,
    condition_said,
    length_said,
    playbook_label,
    subject_said,
    text_said,
)
from keepwell.model.definitions import Model
from keepwell.model.playbook_definitions import Playbook
from keepwell.model.playbook_parts import message_of, step_names
from keepwell.model.step_definitions import (
    END,
    STEPS,
    Acting,
    AnyStep,
    ApprovalStep,
    AssignStep,
    BranchStep,
    EmailStep,
    EndStep,
    InAppStep,
    NotifyStep,
    OfferStep,
    StartStep,
    TaskStep,
    UpdateStep,
    WaitForStep,
    WaitStep,
    WaitUntilStep,
)
from keepwell.model.words import counted
from keepwell.reporting.words import label_of, listed

KINDS: Final = {
    "email": ("E-mail", "mail"),
    "in_app": ("Message in the product", "device-desktop"),
    "task": ("Task", "clipboard-list"),
    "notify": ("Word to colleagues", "bell"),
    "offer": ("Offer", "star"),
    "wait": ("Wait", "clock"),
    "wait_until": ("Wait until", "clock"),
    "wait_for": ("Wait for an answer", "message"),
    "branch": ("Branch", "git-branch"),
    "approval": ("Approval", "shield-check"),
    "assign": ("Hand over", "user"),
    "update": ("Change of fields", "pencil"),
    "start": ("Another playbook", "player-play"),
    "end": ("End", "flag"),
}
_KIND_OF: Final = {definition: kind for kind, definition in STEPS.items()}
_CHANNELS: Final = {"workspace": "in Keepwell", "slack": "in Slack", "teams": "in Teams", "email": "by e-mail"}


@dataclass(frozen=True)
class Exit:
    """A way out of a step: when it is taken (empty for the only one), and where it leads; the end is numbered, too."""

    label: str
    to: str
    number: int


@dataclass(frozen=True)
class StepShown:
    """A step in words. `when` says at what time, `within` the deadline, `only_if` when it is left out."""

    number: int
    name: str
    kind: str
    kind_words: str
    icon: str
    title: str
    details: tuple[str, ...]
    when: str
    within: str
    only_if: str
    exits: tuple[Exit, ...]
    message: str
    description: str

    @property
    def heading(self) -> str:
        """Its number and what it does, short enough to refer to it."""
        return f"{self.number}. {self.title}"


def steps_shown(model: Model, playbook: Playbook) -> tuple[StepShown, ...]:
    """All steps in their order."""
    names = step_names(playbook)
    words = _Steps(model, playbook, names)
    return tuple(words.shown(index) for index in range(len(names)))


class _Steps:
    """Puts steps into words."""

    def __init__(self, model: Model, playbook: Playbook, names: tuple[str, ...]) -> None:
        self.model, self.playbook, self.names = model, playbook, names

    def shown(self, index: int) -> StepShown:
        step, name = self.playbook.steps[index], self.names[index]
        kind = _KIND_OF[type(step)]
        found = message_of(step)
        return StepShown(
            number=index + 1,
            name=name,
            kind=kind,
            kind_words=KINDS[kind][0],
            icon=KINDS[kind][1],
            title=self.title(step),
            details=tuple(self._details(step)),
            when=_when(step),
            within=f"within {length_said(step.within)}" if isinstance(step, Acting) and step.within else "",
            only_if="" if step.when is None else condition_said(self.model, step.when),
            exits=tuple(self._exits(index)),
            message=found[1] if found else "",
            description=step.description,
        )

    def title(self, step: AnyStep) -> str:
        """What it does, in one line."""
        match step:
            case EmailStep() | InAppStep() | OfferStep():
                return step.offer.title if isinstance(step, OfferStep) else self._subject(step)
            case TaskStep():
                return text_said(self.model, step.task)
            case NotifyStep():
                return text_said(self.model, step.notify)
            case ApprovalStep():
                return text_said(self.model, step.approval)
            case EndStep():
                return step.end[:1].upper() + step.end[1:]
        return self._flow_title(step)

    def _flow_title(self, step: AnyStep) -> str:
        match step:
            case WaitStep():
                return f"{_start(length_said(step.wait))}"
            case WaitUntilStep():
                said = _start(condition_said(self.model, step.wait_until))
                return f"{said}, for {length_said(step.at_most)} at most"
            case WaitForStep():
                answers = listed((ANSWERS[one] for one in step.wait_for), "or")
                return f"{_start(answers)}, for {length_said(step.at_most)} at most"
            case BranchStep():
                return f"{counted(len(step.branch) + 1, 'way')} to go on"
            case AssignStep():
                return f"To {ROLES[step.assign]}"
            case UpdateStep():
                return listed(f"{label_of(name, None)}: {value}" for name, value in step.update.items())
            case StartStep():
                return f"Start “{playbook_label(self.model, step.start)}”"
        return ""

    def _subject(self, step: AnyStep) -> str:
        found = message_of(step)
        message = self.model.messages.get(found[1]) if found else None
        return f"“{subject_said(self.model, message.subject)}”" if message else (found[1] if found else "")

    def _details(self, step: AnyStep) -> Iterator[str]:
        match step:
            case EmailStep() | InAppStep():
                yield f"To {RECIPIENTS[step.to]}, from {SENDERS[step.sender]}"
            case OfferStep():
                yield f"To {RECIPIENTS[step.to]}, from {SENDERS[step.sender]}, with {self._subject(step)}"
                yield f"Open for {length_said(step.offer.expires)}"
                yield from [step.offer.terms] if step.offer.terms else []
            case TaskStep():
                yield f"For {ROLES[step.assign_to]}"
                yield from [text_said(self.model, step.notes)] if step.notes else []
                yield from [f"To tick off: {'; '.join(step.checklist)}"] if step.checklist else []
            case NotifyStep():
                yield f"To {ROLES[step.to]}, {_CHANNELS.get(step.channel, f'by {step.channel}')}"
            case ApprovalStep():
                yield f"Asks {ROLES[step.by]}"

    def _exits(self, index: int) -> Iterator[Exit]:
        step = self.playbook.steps[index]
        following = self.names[index + 1] if index + 1 < len(self.names) else END
        onwards = step.then or following
        match step:
            case EndStep():
                yield self._exit("", END)
                yield from [self._exit("Otherwise", onwards)] if step.when is not None else []
            case BranchStep():
                for arm in step.branch:
                    yield self._exit(f"If {condition_said(self.model, arm.when)}", arm.go)
                yield self._exit("Otherwise", step.otherwise or onwards)
            case ApprovalStep():
                late = f", or no answer within {length_said(step.within)}" if step.within else ""
                yield self._exit("Approved", onwards)
                yield self._exit(f"Refused{late}", step.refused)
            case WaitForStep(otherwise=str(other)):
                yield self._exit("Answered", onwards)
                yield self._exit(f"No answer after {length_said(step.at_most)}", other)
            case WaitUntilStep(otherwise=str(other)):
                yield self._exit("As soon as it holds", onwards)
                yield self._exit(f"Not after {length_said(step.at_most)}", other)
            case _:
                yield self._exit("", onwards)

    def _exit(self, label: str, to: str) -> Exit:
        if to == END:
            return Exit(label, END, len(self.names) + 1)
        return Exit(label, to, self.names.index(to) + 1)


def _start(text: str) -> str:
    return text[:1].upper() + text[1:]


def _when(step: AnyStep) -> str:
    parts = [f"day {step.day}"] if step.day is not None else []
    parts += [f"{length_said(step.after)} later"] if step.after is not None else []
    return ", ".join(parts)
