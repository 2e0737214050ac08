"""Surveys: figures, answers, and the switch of each."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Query, Router, Schema
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import READ, SWITCH, ApiRequest, acting
from keepwell.model.survey_definitions import group_of
from keepwell.services.team.surveys.defined import switch_survey
from keepwell.services.team.surveys.figures import SurveyFigures, answers, one_survey, survey_figures
from keepwell.store.models import SurveyInvitation

router = Router(tags=["Surveys"])

Kind = Literal["nps", "csat", "ces"]
Group = Literal["low", "middle", "high"]


class SurveyGroupBody(Schema):
    """How many answers belong to a group."""

    group: Group
    label: str
    count: int
    share: float


class SurveyBody(Schema):
    """A survey with its figures of the last 90 days."""

    name: str
    label: str
    kind: Kind
    question: str
    on_since: datetime | None = Field(description="Null while it is off.")
    sent: int
    waiting: int
    rehearsed: int = Field(description="Asked while e-mail to customers was a dry run.")
    failed: int
    answered: int
    rate: float | None
    score: float | None = Field(description="NPS from -100 to 100, else the mean of the answers.")
    groups: list[SurveyGroupBody]
    would_ask: int | None = Field(description="About how many people it would have asked in the last week; off only.")


class SurveyAnswerBody(Schema):
    """What a customer answered."""

    id: int
    survey: str
    kind: Kind
    customer_id: str
    company: str
    person_id: str
    score: int
    group: Group
    comment: str
    trigger: str
    about: str
    sent_at: datetime
    answered_at: datetime


class SurveyAnswerFilter(Schema):
    """Which answers."""

    survey: Word = ""
    group: Literal["", "low", "middle", "high"] = Field("", description="Of NPS, low are detractors, high promoters.")
    commented: bool = Field(False, description="Only those with words.")


class SurveySwitch(Schema):
    """Whether it may be sent."""

    on: bool


@router.get("", response={200: list[SurveyBody], **PROBLEMS}, auth=READ)
def list_surveys(request: ApiRequest) -> Any:
    """Every survey of the model with its figures, of the customers whom you see."""
    return [_body(one) for one in survey_figures(request.workspace, request.user, request.now)]


@router.get("/answers", response={200: Page[SurveyAnswerBody], **PROBLEMS}, auth=READ)
def list_survey_answers(
    request: ApiRequest, filters: Annotated[SurveyAnswerFilter, Query()], limit: Limit, offset: Offset
) -> Any:
    """Answers of customers whom you see, the newest first."""
    found = answers(request.workspace, request.user, filters.survey, group=filters.group, commented=filters.commented)
    return page_of([_answer(one) for one in found[offset : offset + limit]], found.count(), limit, offset)


@router.get("/{str:name}", response={200: SurveyBody, **PROBLEMS}, auth=READ)
def get_survey(request: ApiRequest, name: Word) -> Any:
    """One survey."""
    return _body(_found(request, name))


@router.post("/{str:name}/switch", response={200: SurveyBody, **PROBLEMS}, auth=SWITCH, openapi_extra=KEYED)
@idempotent
def switch_survey_on_or_off(request: ApiRequest, name: Word, body: SurveySwitch) -> Any:
    """Let it be sent from now on, or no longer; off takes back what waits."""
    _found(request, name)
    switch_survey(acting(request), request.workspace, name, body.on, request.now)
    return _body(_found(request, name))


def _found(request: ApiRequest, name: str) -> SurveyFigures:
    found = one_survey(request.workspace, request.user, name, request.now)
    if found is None:
        raise Problem(404, "Not found", "The model has no such survey.")
    return found


def _body(one: SurveyFigures) -> dict[str, Any]:
    about = {name: getattr(one, name) for name in SurveyBody.model_fields if hasattr(one, name)}
    week = one.week if one.on_since is None else None
    return {
        **about,
        "kind": one.survey.kind,
        "question": one.survey.question,
        "groups": [vars(group) for group in one.groups],
        "would_ask": week["asked"] if week else None,
    }


def _answer(one: SurveyInvitation) -> dict[str, Any]:
    about = {name: getattr(one, name) for name in SurveyAnswerBody.model_fields if name != "group"}
    return about | {"group": group_of(one.kind, int(one.score or 0))}  # type: ignore[arg-type]
