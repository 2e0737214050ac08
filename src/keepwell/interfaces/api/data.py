"""The data behind the figures: how fresh, how complete, what waits, and repairing and loading it."""

from datetime import date
from typing import Annotated, Any

from ninja import Query, Router, Schema, Status
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Name, Text, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem, ProblemBody
from keepwell.interfaces.api.security import DATA, READ, ApiRequest, acting
from keepwell.interfaces.api.task_bodies import JobBody
from keepwell.interfaces.site.uploads import ENVELOPE, MEGABYTE, InboxUploads
from keepwell.services.published import (
    Link,
    LoadStatus,
    MetricCoverage,
    QuarantinedRow,
    QuarantineGroup,
    TableStatus,
    Unmatched,
    data_status,
    quarantine_rows,
)
from keepwell.services.published.quarantined import Group, quarantine_row
from keepwell.services.team.data import correct_ask, link_ask, replace_ask, retry_ask, unlink_ask
from keepwell.services.team.settings import team_settings
from keepwell.services.team.uploads import inbox_remove, inbox_waiting, upload_keep

router = Router(tags=["Data"], auth=DATA)

_FILES = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                    "required": ["files"],
                }
            }
        },
    }
}


class DataBody(Schema):
    """The state of the data behind the published day."""

    as_of: date
    tables: list[TableStatus]
    loads: list[LoadStatus] = Field(description="The last fifty, the newest first.")
    quarantine: list[QuarantineGroup] = Field(description="Rows that wait, by reason.")
    coverage: list[MetricCoverage] = Field(description="For how many customers each metric is known.")
    warnings: list[str]


class Identities(Schema):
    """Ids that no customer has, with those that they may mean; and the links made by hand."""

    unmatched: list[Unmatched]
    links: list[Link]


class GroupBody(Schema):
    """Rows that wait for the same reason."""

    table: Word
    code: Word
    column: Word | None = None
    reason: Annotated[str, Field(max_length=2_000, pattern=r"^[^\u0000]*$")]

    def group(self) -> Group:
        """As services take it."""
        return Group(self.table, self.code, self.column, self.reason)


class RetryBody(Schema):
    """Which rows to try again: those with these keys, those of a group, or all."""

    keys: Annotated[list[Word], Field(max_length=1_000)] = Field([])
    group: GroupBody | None = None


class CorrectionBody(Schema):
    """Cells to change, by the names of the row's own columns."""

    cells: Annotated[dict[Word, Text], Field(min_length=1, max_length=500)]


class ReplacementBody(Schema):
    """Values of a group's column to put others in place of."""

    group: GroupBody
    values: Annotated[dict[Word, Word], Field(min_length=1, max_length=1_000)]


class WaitingFile(Schema):
    """A file in the inbox."""

    name: str
    problem: str = Field(description="What the last load said is wrong with it; empty when nothing was.")


class LinkNew(Schema):
    """An id that a source uses, and the customer that it means."""

    unknown_id: Annotated[Word, Field(min_length=1)]
    customer_id: Annotated[Word, Field(min_length=1)]


@router.get("", response={200: DataBody, **PROBLEMS}, auth=READ)
def get_data_status(request: ApiRequest) -> Any:
    """Tables with rows, sources and freshness; the last loads; what waits and why; coverage by metric."""
    return data_status(request.workspace)


@router.get("/identities", response={200: Identities, **PROBLEMS})
def list_identities(request: ApiRequest) -> Any:
    """Ids that no customer has, and the links made by hand."""
    return data_status(request.workspace)


@router.get("/quarantine", response={200: Page[QuarantinedRow], **PROBLEMS})
def list_quarantined_rows(
    request: ApiRequest,
    limit: Limit,
    offset: Offset,
    table: Word | None = None,
    code: Word | None = None,
    column: Word | None = None,
    reason: Annotated[Text | None, Query(None)] = None,
) -> Any:
    """Rows that wait, one by one; the filters are those of a group."""
    found = quarantine_rows(request.workspace, table, code, column, reason, offset=offset, limit=limit)
    return page_of(list(found.rows), found.total, limit, offset)


@router.post("/quarantine/retry", response={202: JobBody, **PROBLEMS}, openapi_extra=KEYED)
@idempotent
def retry_quarantine(request: ApiRequest, body: RetryBody) -> Any:
    """Try rows again in the background."""
    group = body.group.group() if body.group and not body.keys else None
    return _job(retry_ask(acting(request), group=group, keys=body.keys, now=request.now))


@router.post("/quarantine/replace", response={202: JobBody, **PROBLEMS}, openapi_extra=KEYED)
@idempotent
def replace_quarantined_values(request: ApiRequest, body: ReplacementBody) -> Any:
    """Put one value for another into the column of a group, and try its rows again."""
    return _job(replace_ask(acting(request), body.group.group(), body.values, now=request.now))


@router.post("/quarantine/{key}/correct", response={202: JobBody, **PROBLEMS}, openapi_extra=KEYED)
@idempotent
def correct_quarantined_row(request: ApiRequest, key: Name, body: CorrectionBody) -> Any:
    """Change cells of one row, and try it again."""
    row = quarantine_row(request.workspace, key)
    if row is None:
        raise Problem(404, "Not found", "No such row waits any more.")
    return _job(correct_ask(acting(request), row, body.cells, now=request.now))


@router.post("/links", response={202: JobBody, **PROBLEMS}, openapi_extra=KEYED)
@idempotent
def create_link(request: ApiRequest, body: LinkNew) -> Any:
    """Let an id stand for a customer from now on, and load the rows that waited for it."""
    return _job(link_ask(acting(request), request.workspace, body.unknown_id, body.customer_id, now=request.now))


@router.delete("/links/{path:unknown_id}", response={202: JobBody, **PROBLEMS})
def delete_link(request: ApiRequest, unknown_id: Name) -> Any:
    """Forget a link for later loads; what it loaded stays."""
    links = {link.unknown_id: link.customer_id for link in data_status(request.workspace).links}
    if unknown_id not in links:
        raise Problem(404, "Not found", "This id is not linked.")
    return _job(unlink_ask(acting(request), unknown_id, links[unknown_id], now=request.now))


@router.post("/files", response={202: JobBody, 413: ProblemBody, **PROBLEMS}, openapi_extra=_FILES)
def upload_files(request: ApiRequest) -> Any:
    """Put files into the inbox, all or none, and have them loaded; each is named after its table."""
    megabytes = team_settings(request.workspace).upload_mb
    arriving = InboxUploads(request.workspace, megabytes * MEGABYTE)
    too_large = Problem(413, "Too large", f"At most {megabytes:,} MB at once. Compress the files, or split them.")
    if int(request.META.get("CONTENT_LENGTH") or 0) > arriving.limit + ENVELOPE:
        raise too_large
    request.upload_handlers = [arriving]
    try:
        files = arriving.files if request.FILES else []
        if arriving.too_large:
            raise too_large
        return _job(upload_keep(acting(request), request.workspace, files, now=request.now))
    finally:
        arriving.forget()


@router.get("/files", response={200: list[WaitingFile], **PROBLEMS})
def list_files(request: ApiRequest) -> Any:
    """What lies in the inbox, with what the last load said is wrong with it."""
    return list(inbox_waiting(request.workspace))


@router.delete("/files/{name}", response={204: None, **PROBLEMS})
def remove_file(request: ApiRequest, name: Name) -> Any:
    """Take a file out of the inbox; it is put aside, not deleted."""
    if name not in {one.name for one in inbox_waiting(request.workspace)}:
        raise Problem(404, "Not found", "No such file lies in the inbox.")
    inbox_remove(acting(request), request.workspace, name, now=request.now)
    return Status(204, None)


def _job(job: Any) -> Status[JobBody]:
    return Status(202, JobBody.from_orm(job))
