"""What pages show of surveys: how many were sent and answered, what came of it, and what people said."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Q, QuerySet

from keepwell.model.survey_definitions import GROUPS, Group, Survey, SurveyKind, group_of
from keepwell.reporting.nps import nps_of_scores
from keepwell.services.team.named_values import remembered
from keepwell.services.team.playing.seen import customers_seen, only_seen
from keepwell.services.team.surveys.daily import WEEK
from keepwell.services.team.surveys.defined import surveys_of, surveys_on
from keepwell.services.team.surveys.follow import GROUP_WORDS
from keepwell.services.workspace import Workspace
from keepwell.store.models import Outgoing, Person, SurveyInvitation

PERIOD: Final = timedelta(days=90)
"""The figures are of what was sent in so many days."""
NEITHER: Final = (Outgoing.State.CANCELLED, Outgoing.State.SUPPRESSED, Outgoing.State.DEAD)


@dataclass(frozen=True)
class GroupFigures:
    """How many answers belong to a group."""

    group: Group
    label: str
    count: int
    share: float


@dataclass(frozen=True)
class SurveyFigures:
    """One survey as it stands. `score` is NPS, or the mean of the other kinds; None without an answer."""

    name: str
    survey: Survey
    on_since: datetime | None
    sent: int
    waiting: int
    rehearsed: int
    failed: int
    answered: int
    score: float | None
    groups: tuple[GroupFigures, ...]
    week: Mapping[str, Any] | None
    week_of: date | None

    @property
    def label(self) -> str:
        """Its name for people."""
        return self.survey.label or self.name.replace("_", " ").capitalize()

    @property
    def asked(self) -> int:
        """Everybody who got the question, in earnest or in a rehearsal."""
        return self.sent + self.rehearsed

    @property
    def rate(self) -> float | None:
        """The share of those who answered."""
        return self.answered / self.asked if self.asked else None


def survey_figures(workspace: Workspace, person: Person, now: datetime) -> list[SurveyFigures]:
    """Every survey of the model, in its order, of the customers whom a person sees; a few queries however many.

    What the last week would have been is of the whole workspace: it is for those who switch surveys on.
    """
    surveys, on = surveys_of(workspace), surveys_on()
    said = remembered(WEEK)
    states, scores = _counted(now - PERIOD, customers_seen(workspace, person))
    return [_figures(name, survey, on.get(name), states, scores, said) for name, survey in surveys.items()]


def one_survey(workspace: Workspace, person: Person, name: str, now: datetime) -> SurveyFigures | None:
    """The figures of one survey; None when the model has none of that name."""
    return next((one for one in survey_figures(workspace, person, now) if one.name == name), None)


def answers(
    workspace: Workspace, person: Person, name: str = "", *, group: str = "", commented: bool = False
) -> QuerySet[SurveyInvitation]:
    """Answers of customers whom a person may see, the newest first."""
    every = SurveyInvitation.objects.exclude(score=None).order_by("-answered_at", "-pk")
    found = only_seen(every, customers_seen(workspace, person))
    if name:
        found = found.filter(survey=name)
    if commented:
        found = found.exclude(comment="")
    return found.filter(_in_group(group)) if group in GROUPS else found


def last_comments(workspace: Workspace, person: Person, each: int = 3) -> dict[str, list[SurveyInvitation]]:
    """The last comments of each survey; one query."""
    kept: dict[str, list[SurveyInvitation]] = {}
    for one in answers(workspace, person, commented=True)[:200]:
        mine = kept.setdefault(one.survey, [])
        if len(mine) < each:
            mine.append(one)
    return kept


def group_label(kind: str, group: Group) -> str:
    """The word for a group: a detractor, somebody dissatisfied."""
    return GROUP_WORDS[kind][group]


def _in_group(group: str) -> Q:
    found = Q()
    kinds: tuple[SurveyKind, ...] = ("nps", "csat", "ces")
    for kind in kinds:
        found |= Q(kind=kind, score__in=[score for score in range(11) if group_of(kind, score) == group])
    return found


def _counted(since: datetime, seen: Collection[str] | None) -> tuple[dict[str, Counter[str]], dict[str, Counter[int]]]:
    """By survey: in which states its messages are, and how often each score was given."""
    sent = only_seen(SurveyInvitation.objects.filter(sent_at__gte=since), seen).order_by()
    states: dict[str, Counter[str]] = {}
    for name, state, count in sent.values_list("survey", "outgoing__state").annotate(n=Count("pk")):
        states.setdefault(name, Counter())[state or ""] += count
    scores: dict[str, Counter[int]] = {}
    for name, score, count in sent.exclude(score=None).values_list("survey", "score").annotate(n=Count("pk")):
        scores.setdefault(name, Counter())[int(score)] += count
    return states, scores


def _figures(
    name: str,
    survey: Survey,
    on_since: datetime | None,
    states: Mapping[str, Counter[str]],
    scores: Mapping[str, Counter[int]],
    said: Mapping[str, Any],
) -> SurveyFigures:
    mine, given = states.get(name, Counter[str]()), scores.get(name, Counter[int]())
    state, failed = Outgoing.State, sum(mine[one] for one in NEITHER)
    return SurveyFigures(
        name=name,
        survey=survey,
        on_since=on_since,
        sent=mine[state.SENT] + mine[""],
        waiting=mine[state.WAITING] + mine[state.FAILED] + mine[state.SENDING],
        rehearsed=mine[state.REHEARSED],
        failed=failed,
        answered=given.total(),
        score=_score(survey, given),
        groups=_groups(survey, given),
        week=said.get("surveys", {}).get(name),
        week_of=date.fromisoformat(said["as_of"]) if said.get("as_of") else None,
    )


def _score(survey: Survey, given: Counter[int]) -> float | None:
    if not given:
        return None
    if survey.kind == "nps":
        return nps_of_scores(float(score) for score in given.elements()).nps
    return sum(score * count for score, count in given.items()) / given.total()


def _groups(survey: Survey, given: Counter[int]) -> tuple[GroupFigures, ...]:
    total = given.total()
    counts = {group: sum(n for score, n in given.items() if group_of(survey.kind, score) == group) for group in GROUPS}
    return tuple(
        GroupFigures(group, group_label(survey.kind, group), n, n / total if total else 0.0)
        for group, n in counts.items()
    )
