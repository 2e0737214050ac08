"""Tables of the application database."""

from keepwell.store.models.audit import AuditEntry
from keepwell.store.models.jobs import Job
from keepwell.store.models.people import ApiToken, IdempotentAnswer, OneTimeLink, Person, Role, Team
from keepwell.store.models.work import Hold, Note, Outcome, Task
from keepwell.store.models.workspace import CanonicalWrite, ModelDraft, SavedView, WorkspaceSegment, WorkspaceSetting

__all__ = [
    "ApiToken",
    "AuditEntry",
    "CanonicalWrite",
    "Hold",
    "IdempotentAnswer",
    "Job",
    "ModelDraft",
    "Note",
    "OneTimeLink",
    "Outcome",
    "Person",
    "Role",
    "SavedView",
    "Task",
    "Team",
    "WorkspaceSegment",
    "WorkspaceSetting",
]
