"""What services refuse, as problems."""

from typing import Final

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI

from keepwell.interfaces.api.problems import ProblemBody, Wrong, answer
from keepwell.model.problems import DefinitionError
from keepwell.reporting.reading import ReportError
from keepwell.segments.trait_sql import CriteriaError
from keepwell.services.planning.edits import EditError
from keepwell.services.team.alerting.alerts import AlertRefused
from keepwell.services.team.checklists import TickRefused
from keepwell.services.team.data import DataRefused
from keepwell.services.team.holds import NoHold
from keepwell.services.team.job_requests import JobRefused
from keepwell.services.team.links import LinkError
from keepwell.services.team.notes import NoteError
from keepwell.services.team.offers import OfferRefused
from keepwell.services.team.opportunities import OpportunityError
from keepwell.services.team.outbox.queue import OutboxError
from keepwell.services.team.outbox.suppression import SuppressionError
from keepwell.services.team.outcomes import OutcomeConflict, OutcomeInvalid, UndoRefused
from keepwell.services.team.people import PeopleError
from keepwell.services.team.playing.approvals import ApprovalRefused
from keepwell.services.team.saved import SavedViewError
from keepwell.services.team.segments import SegmentConflictError, SegmentError
from keepwell.services.team.settings import SettingError
from keepwell.services.team.support.escalations import EscalationRefused
from keepwell.services.team.support.judging import TicketRefused
from keepwell.services.team.task_changes import TaskRefused
from keepwell.services.team.uploads import UploadRefused

_CONFLICT, _INVALID = (409, "Not possible"), (422, "Request cannot be used")
REFUSED: Final[dict[type[Exception], tuple[int, str]]] = {
    TaskRefused: _CONFLICT,
    AlertRefused: _CONFLICT,
    TickRefused: _CONFLICT,
    OutcomeConflict: (409, "Somebody was faster"),
    UndoRefused: _CONFLICT,
    NoteError: _CONFLICT,
    SavedViewError: _CONFLICT,
    PeopleError: _CONFLICT,
    LinkError: _CONFLICT,
    JobRefused: _CONFLICT,
    NoHold: _CONFLICT,
    ApprovalRefused: _CONFLICT,
    OfferRefused: _CONFLICT,
    OpportunityError: _CONFLICT,
    EscalationRefused: _CONFLICT,
    TicketRefused: _CONFLICT,
    OutboxError: _CONFLICT,
    SuppressionError: _INVALID,
    DataRefused: _CONFLICT,
    ReportError: _CONFLICT,
    SegmentConflictError: (409, "Somebody was faster"),
    SettingError: _INVALID,
    UploadRefused: _INVALID,
    MultiPartParserError: _INVALID,
    EditError: _INVALID,
    CriteriaError: _INVALID,
    SuspiciousOperation: (400, "Request cannot be used"),
}


def register_refusals(api: NinjaAPI) -> None:
    """Answer every refusal of a service with its own words."""
    for kind, (status, title) in REFUSED.items():
        _register(api, kind, status, title)

    @api.exception_handler(OutcomeInvalid)
    def _outcome(request: HttpRequest, error: OutcomeInvalid) -> HttpResponse:
        wrong = [Wrong(where=f"body.{name}", message=said) for name, said in error.problems.items()]
        return _answered(422, "Outcome cannot be logged", str(error), wrong)

    @api.exception_handler(SegmentError)
    def _segment(request: HttpRequest, error: SegmentError) -> HttpResponse:
        wrong = [Wrong(where=f"body.{error.field}", message=str(error))] if error.field else []
        return _answered(422 if wrong else 409, "Segment cannot be kept", str(error), wrong)

    @api.exception_handler(DefinitionError)
    def _definition(request: HttpRequest, error: DefinitionError) -> HttpResponse:
        wrong = [Wrong(where=f"{one.path}:{one.line}:{one.column}", message=one.message) for one in error.problems]
        return _answered(422, "Definition cannot be used", str(error), wrong)


def _register(api: NinjaAPI, kind: type[Exception], status: int, title: str) -> None:
    @api.exception_handler(kind)
    def _refused(request: HttpRequest, error: Exception) -> HttpResponse:
        return _answered(status, title, str(error))


def _answered(status: int, title: str, detail: str, wrong: list[Wrong] | None = None) -> HttpResponse:
    return answer(ProblemBody(title=title, status=status, detail=detail, errors=wrong or []))
