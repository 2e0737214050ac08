"""Tables of the application database."""

from keepwell.store.models.alerting import Alert, AlertMark, JournalPlace, WaitingEvent
from keepwell.store.models.asking import ChecklistTick, Escalation, SurveyInvitation, TicketClock, TicketJudged
from keepwell.store.models.audit import AuditEntry
from keepwell.store.models.jobs import Job
from keepwell.store.models.people import ApiToken, IdempotentAnswer, OneTimeLink, Person, Role, Team
from keepwell.store.models.playing import (
    Approval,
    Happening,
    PlaybookEffect,
    PlaybookHeldOut,
    PlaybookRun,
    PlaybookSwitch,
    PlaybookTimer,
    PlaybookVersion,
)
from keepwell.store.models.selling import Offer, Opportunity
from keepwell.store.models.sending import Channel, Outgoing, OutgoingEvent, Suppression, WebhookTarget
from keepwell.store.models.work import Hold, Note, Outcome, Task
from keepwell.store.models.workspace import CanonicalWrite, ModelDraft, SavedView, WorkspaceSegment, WorkspaceSetting

__all__ = [
    "Alert",
    "AlertMark",
    "ApiToken",
    "Approval",
    "AuditEntry",
    "CanonicalWrite",
    "Channel",
    "ChecklistTick",
    "Escalation",
    "Happening",
    "Hold",
    "IdempotentAnswer",
    "Job",
    "JournalPlace",
    "ModelDraft",
    "Note",
    "Offer",
    "OneTimeLink",
    "Opportunity",
    "Outcome",
    "Outgoing",
    "OutgoingEvent",
    "Person",
    "PlaybookEffect",
    "PlaybookHeldOut",
    "PlaybookRun",
    "PlaybookSwitch",
    "PlaybookTimer",
    "PlaybookVersion",
    "Role",
    "SavedView",
    "Suppression",
    "SurveyInvitation",
    "Task",
    "Team",
    "TicketClock",
    "TicketJudged",
    "WaitingEvent",
    "WebhookTarget",
    "WorkspaceSegment",
    "WorkspaceSetting",
]
