"""The classifier of a workspace: learned from its own labelled tickets, measured, and used only when it is better."""

import hashlib
import importlib
import importlib.util
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from keepwell.services.team.named_values import remember, remembered
from keepwell.services.team.support.desk import Desk
from keepwell.services.team.support.rules import category_by_rules
from keepwell.services.team.support.tickets import CLASSIFIER, GIVEN, PERSON, DeskTicket
from keepwell.services.workspace import Workspace

SETTING: Final = "ticket_classifier"
FEWEST: Final = 200
FEWEST_OF_A_CATEGORY: Final = 10
MOST: Final = 8000
SURE: Final = 0.5
"""Below this confidence the rules are asked."""
GROWN: Final = 1.05
_MODULE: Final = "keepwell.services.team.support.learned"


@dataclass(frozen=True)
class Learned:
    """What the classifier is worth, in figures; `used` says whether it is asked, `why` when it is not."""

    used: bool
    why: str
    labels: int = 0
    corrected: int = 0
    categories: int = 0
    accuracy: float | None = None
    sure_share: float | None = None
    sure_accuracy: float | None = None
    rules_accuracy: float | None = None
    at: str = ""
    file: str = ""


def installed() -> bool:
    """Whether the libraries of the extra `ml` are there."""
    return all(importlib.util.find_spec(name) is not None for name in ("sklearn", "skops"))


def learned_of() -> Learned:
    """What was learned last, as far as it can be used here."""
    if not installed():
        return Learned(False, "The extra “ml” is not installed: pip install 'keepwell[ml]'. The rules alone judge.")
    learned = remembered(SETTING)
    return Learned(**learned) if learned else Learned(False, "The next daily run learns from labelled tickets.")


def learn(workspace: Workspace, desk: Desk, tickets: Sequence[DeskTicket], now: datetime) -> Learned:
    """Learn from tickets with a category of the help desk or a person, when enough is new; returns what came of it."""
    if not installed():
        return learned_of()
    labelled = _labelled(tickets)
    corrected = sum(one.by == PERSON for one in labelled)
    before = learned_of()
    if before.at and corrected == before.corrected and before.labels <= len(labelled) < before.labels * GROWN:
        return before
    if len(labelled) < FEWEST or len({one.category for one in labelled}) < 2:
        why = f"{len(labelled)} labelled tickets are too few to learn from; {FEWEST} are needed."
        return _said(Learned(False, why, labels=len(labelled), corrected=corrected, at=now.isoformat()))
    return _said(_learned(workspace, desk, labelled, corrected, now))


def predict(workspace: Workspace, tickets: Sequence[DeskTicket]) -> list[tuple[str, float]] | None:
    """The category of each ticket, and how sure that is; None when there is no classifier to ask."""
    found = learned_of()
    path = _folder(workspace) / found.file
    if not found.used or not found.file or not path.exists():
        return None
    library = importlib.import_module(_MODULE)
    said: list[tuple[str, float]] = library.predicted(library.read(path), [text_of(one) for one in tickets])
    return said


def text_of(one: DeskTicket) -> str:
    """What is learned from: the subject counts double."""
    return f"{one.subject} {one.subject} {one.body}"


def _labelled(tickets: Sequence[DeskTicket]) -> list[DeskTicket]:
    """The newest tickets whose category somebody gave; categories that hardly occur are left out."""
    known = [one for one in tickets if one.by in (GIVEN, PERSON) and one.category and (one.subject or one.body)][-MOST:]
    counts = Counter(one.category for one in known)
    return [one for one in known if counts[one.category] >= FEWEST_OF_A_CATEGORY]


def _learned(workspace: Workspace, desk: Desk, tickets: list[DeskTicket], corrected: int, now: datetime) -> Learned:
    library: Any = importlib.import_module(_MODULE)
    labels = [one.category for one in tickets]
    model, measured = library.trained([text_of(one) for one in tickets], labels)
    truth = [labels[place] for place in measured.places]
    right = [said == true for said, true in zip(measured.said, truth, strict=True)]
    sure = [ok for ok, chance in zip(right, measured.confidence, strict=True) if chance >= SURE]
    rules = _share([_by_rules(desk, tickets[place]) == labels[place] for place in measured.places])
    accuracy = _share(right)
    better = accuracy is not None and rules is not None and accuracy > rules
    return Learned(
        used=better,
        why="" if better else "The rules are as good on tickets that it had not seen, so they judge.",
        labels=len(tickets),
        corrected=corrected,
        categories=len(set(labels)),
        accuracy=accuracy,
        sure_share=_share([chance >= SURE for chance in measured.confidence]),
        sure_accuracy=_share(sure),
        rules_accuracy=rules,
        at=now.isoformat(),
        file=_kept(workspace, library, model, tickets),
    )


def _by_rules(desk: Desk, one: DeskTicket) -> str:
    found = category_by_rules(desk, one.subject, one.body)
    return found.value if found else ""


def _share(hits: Sequence[bool]) -> float | None:
    return round(sum(hits) / len(hits), 4) if hits else None


def _kept(workspace: Workspace, library: Any, model: Any, tickets: list[DeskTicket]) -> str:
    """Put the model's file in place; the one before goes."""
    folder = _folder(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    said = "\n".join(f"{one.ticket_id} {one.category}" for one in tickets)
    name = f"{CLASSIFIER}-{hashlib.sha256(said.encode()).hexdigest()[:16]}.skops"
    library.kept(model, folder / f"{name}.tmp")
    os.replace(folder / f"{name}.tmp", folder / name)
    for old in folder.glob(f"{CLASSIFIER}-*.skops"):
        if old.name != name:
            old.unlink(missing_ok=True)
    return name


def _folder(workspace: Workspace) -> Path:
    return workspace.data_dir / "learned"


def _said(found: Learned) -> Learned:
    remember(SETTING, asdict(found))
    return found
