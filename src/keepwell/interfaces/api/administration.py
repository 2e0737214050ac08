"""The audit log and the workspace's settings."""

from datetime import datetime, time, timedelta
from typing import Annotated, Any

from django.db.models import Q
from django.utils.timezone import make_aware
from ninja import Query, Router, Schema
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Day, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS
from keepwell.interfaces.api.security import AUDIT, SETTINGS, ApiRequest, acting
from keepwell.services.team.settings import (
    MOST_TOUCHPOINTS,
    MOST_UPLOAD_MB,
    TeamSettings,
    settings_change,
    team_settings,
)
from keepwell.store.models import AuditEntry

router = Router(tags=["Administration"])


class AuditBody(Schema):
    """One change: who, what, when, and the values before and after."""

    id: int
    at: datetime
    actor_name: str
    action: str
    object_kind: str
    object_id: str
    customer_id: str
    summary: str
    before: Any
    after: Any


class AuditFilter(Schema):
    """Which changes."""

    search: Word = Field("", description="Words of the summary or of who acted, or a customer's id.")
    area: Word = Field("", description="What comes before the dot of an action: task, model, person …")
    since: Day | None = None
    until: Day | None = None

    def matching(self) -> Q:
        """The condition on entries."""
        found = Q(action__startswith=f"{self.area}.") if self.area else Q()
        if words := self.search.strip():
            found &= Q(summary__icontains=words) | Q(actor_name__icontains=words) | Q(customer_id__iexact=words)
        if self.since:
            found &= Q(at__gte=make_aware(datetime.combine(self.since, time.min)))
        if self.until:
            found &= Q(at__lt=make_aware(datetime.combine(self.until + timedelta(days=1), time.min)))
        return found


class SettingsBody(Schema):
    """What people set in the workspace."""

    run_time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="When the daily run begins.")]
    daily_runs: bool
    weekly_touchpoints: Annotated[int, Field(ge=1, le=MOST_TOUCHPOINTS)]
    upload_mb: Annotated[int, Field(ge=1, le=MOST_UPLOAD_MB)]


@router.get("/audit", response={200: Page[AuditBody], **PROBLEMS}, auth=AUDIT)
def list_audit(request: ApiRequest, filters: Annotated[AuditFilter, Query()], limit: Limit, offset: Offset) -> Any:
    """Every change of the workspace, the newest first."""
    found = AuditEntry.objects.filter(filters.matching())
    return page_of([AuditBody.from_orm(one) for one in found[offset : offset + limit]], found.count(), limit, offset)


@router.get("/settings", response={200: SettingsBody, **PROBLEMS}, auth=SETTINGS)
def get_settings(request: ApiRequest) -> Any:
    """The settings as they are."""
    return _shown(team_settings(request.workspace))


@router.put("/settings", response={200: SettingsBody, **PROBLEMS}, auth=SETTINGS, openapi_extra=KEYED)
@idempotent
def update_settings(request: ApiRequest, body: SettingsBody) -> Any:
    """Change the settings."""
    return _shown(settings_change(acting(request), request.workspace, now=request.now, **body.model_dump()))


def _shown(found: TeamSettings) -> SettingsBody:
    return SettingsBody(**(vars(found) | {"run_time": f"{found.run_time:%H:%M}"}))
