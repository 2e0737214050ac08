"""The model: its files and tables, a draft, what it would do, applying it, and the way back."""

from typing import Annotated, Any

from ninja import Path, Router, Schema, Status
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Customer, Said, Text, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import MODEL, READ, ApiRequest, acting, seen_customer
from keepwell.interfaces.api.task_bodies import JobBody
from keepwell.services.planning.apply import Applied, history, version_sources
from keepwell.services.planning.edits import Edit
from keepwell.services.planning.preview import distribution, try_one
from keepwell.services.planning.scorecard import bands_table, scorecard_table, settings_table
from keepwell.services.planning.sources import (
    current_hash,
    current_model,
    load_sources,
    model_sources,
    proposed_sources,
    sources_hash,
)
from keepwell.services.team.model_changes import (
    Draft,
    apply_draft,
    discard_draft,
    draft_of,
    edit_draft,
    rebase_draft,
    replace_draft,
    request_plan,
    roll_back,
)

router = Router(tags=["Model"], auth=READ)

Files = Annotated[dict[Word, Text], Field(min_length=1, max_length=200)]
VersionPath = Annotated[int, Path(ge=1, le=2**31 - 1)]
Row = dict[str, Any]


class ModelBody(Schema):
    """The model as it is: its files, definitions in YAML and messages, by name."""

    name: str
    version: str | None
    hash: str
    files: dict[str, str]


class Scorecard(Schema):
    """The model's scorecards as tables; `place` is where a row is written, `editable` what can be edited."""

    measures: list[Row]
    bands: list[Row]
    settings: list[Row]


class FilesBody(Schema):
    """Files of a model; those that are left out stay as they are."""

    files: Files


class EditBody(Schema):
    """A new value at a place of the model."""

    path: Annotated[list[Word | int], Field(min_length=1, max_length=20)]
    value: bool | int | float | Word | None


class EditsBody(Schema):
    """Values to change together: weights have to add up."""

    edits: Annotated[list[EditBody], Field(min_length=1, max_length=50)]


class Valid(Schema):
    """A model that can be used."""

    hash: str


class DraftBody(Schema):
    """What the token's person is working on; without changes it is the model itself."""

    hash: str
    base_hash: str
    changed: list[str] = Field(description="Files that differ from the model.")
    outdated: bool = Field(description="Whether somebody else changed the model meanwhile.")
    planned: bool
    files: dict[str, str]


class PlanBody(Schema):
    """The plan of the draft: the job that makes it, and its result once it is done."""

    job: JobBody
    result: dict[str, Any] | None


class Why(Schema):
    """Why the model is changed."""

    why: Said


class VersionEntry(Schema):
    """One version of the model."""

    version: int
    kind: str
    at: str
    who: str
    why: str
    before: str | None
    after: str
    summary: list[str]
    of: int | None = Field(description="The version that a rollback went back to.")


@router.get("", response={200: ModelBody, **PROBLEMS})
def get_model(request: ApiRequest) -> Any:
    """The model as it is, file by file."""
    found = current_model(request.workspace).model.model
    files = model_sources(request.workspace)
    return ModelBody(name=found.name, version=found.version, hash=current_hash(request.workspace), files=files)


@router.get("/scorecard", response={200: Scorecard, **PROBLEMS})
def get_scorecard(request: ApiRequest) -> Any:
    """Measures with weights, curves and thresholds; bands; settings."""
    loaded = current_model(request.workspace)
    tables = (scorecard_table(loaded), bands_table(loaded), settings_table(loaded))
    measures, bands, settings = ([row.as_dict() for row in table] for table in tables)
    return Scorecard(measures=measures, bands=bands, settings=settings)


@router.post("/validate", response={200: Valid, **PROBLEMS}, auth=MODEL)
def validate_model(request: ApiRequest, body: FilesBody) -> Any:
    """Check files on top of the model; nothing is kept. 422 names every mistake with its place."""
    files = {**model_sources(request.workspace), **body.files}
    load_sources(proposed_sources(files))
    return Valid(hash=sources_hash(files))


@router.get("/draft", response={200: DraftBody, **PROBLEMS}, auth=MODEL)
def get_draft(request: ApiRequest) -> Any:
    """One's draft."""
    return _shown(draft_of(request.workspace, request.user))


@router.put("/draft", response={200: DraftBody, **PROBLEMS}, auth=MODEL, openapi_extra=KEYED)
@idempotent
def update_draft(request: ApiRequest, body: FilesBody) -> Any:
    """Put files into one's draft."""
    return _shown(replace_draft(request.workspace, request.user, body.files, request.now))


@router.patch("/draft", response={200: DraftBody, **PROBLEMS}, auth=MODEL, openapi_extra=KEYED)
@idempotent
def edit_draft_values(request: ApiRequest, body: EditsBody) -> Any:
    """Change single values of one's draft; everything else, comments included, stays as it is written."""
    edits = [Edit(tuple(one.path), one.value) for one in body.edits]
    return _shown(edit_draft(request.workspace, request.user, edits, request.now))


@router.delete("/draft", response={204: None, **PROBLEMS}, auth=MODEL)
def delete_draft(request: ApiRequest) -> Any:
    """Forget one's draft."""
    discard_draft(request.user)
    return Status(204, None)


@router.post("/draft/rebase", response={200: DraftBody, **PROBLEMS}, auth=MODEL, openapi_extra=KEYED)
@idempotent
def rebase(request: ApiRequest) -> Any:
    """Put one's changes on top of the model as it is now."""
    return _shown(rebase_draft(request.workspace, request.user, request.now))


@router.get("/draft/distribution", response={200: Row, **PROBLEMS}, auth=MODEL)
def get_distribution(request: ApiRequest) -> Any:
    """How scores are spread with the model and with one's draft, from the last day's values."""
    return distribution(request.workspace, load_sources(_sources(request))).as_dict()


@router.get("/draft/try/{customer:customer_id}", response={200: Row, **PROBLEMS}, auth=MODEL)
def try_customer(request: ApiRequest, customer_id: Customer) -> Any:
    """One customer by the model and by one's draft."""
    seen_customer(request, customer_id)
    return try_one(request.workspace, load_sources(_sources(request)), customer_id).as_dict()


@router.post("/plan", response={202: JobBody, **PROBLEMS}, auth=MODEL, openapi_extra=KEYED)
@idempotent
def plan_model(request: ApiRequest) -> Any:
    """Plan one's draft in the background: who changes band or segment, what opens, also over the last 90 days."""
    return Status(202, JobBody.from_orm(request_plan(acting(request), request.workspace, request.user, request.now)))


@router.get("/plan", response={200: PlanBody, **PROBLEMS}, auth=MODEL)
def get_plan(request: ApiRequest) -> Any:
    """The plan of exactly this draft; 404 before it was asked for."""
    job = draft_of(request.workspace, request.user).plan
    if job is None:
        raise Problem(404, "Not found", "There is no plan of this draft yet. POST to this address asks for one.")
    return PlanBody(job=JobBody.from_orm(job), result=job.result)


@router.post("/apply", response={200: VersionEntry, **PROBLEMS}, auth=MODEL, openapi_extra=KEYED)
@idempotent
def apply_model(request: ApiRequest, body: Why) -> Any:
    """Make one's planned draft the model; today's figures are computed anew."""
    return _entry(apply_draft(acting(request), request.workspace, request.user, why=body.why, now=request.now))


@router.get("/versions", response={200: Page[VersionEntry], **PROBLEMS})
def list_model_versions(request: ApiRequest, limit: Limit, offset: Offset) -> Any:
    """All versions, the newest first: who, when, why, and what changed."""
    found = history(request.workspace)
    shown = [VersionEntry(**one.as_dict()) for one in found[offset : offset + limit]]
    return page_of(shown, len(found), limit, offset)


@router.get("/versions/{int:version}", response={200: dict[str, str], **PROBLEMS})
def get_model_version(request: ApiRequest, version: VersionPath) -> Any:
    """The files of one version."""
    _known(request, version)
    return version_sources(request.workspace, version)


@router.post(
    "/versions/{int:version}/rollback", response={200: VersionEntry, **PROBLEMS}, auth=MODEL, openapi_extra=KEYED
)
@idempotent
def roll_back_model(request: ApiRequest, version: VersionPath, body: Why) -> Any:
    """Make an earlier version the model again, as a new version."""
    _known(request, version)
    return _entry(roll_back(acting(request), request.workspace, version, why=body.why, now=request.now))


def _known(request: ApiRequest, version: int) -> None:
    if version not in (entry.version for entry in history(request.workspace)):
        raise Problem(404, "Not found", "The model has no such version.")


def _sources(request: ApiRequest) -> dict[str, str]:
    return draft_of(request.workspace, request.user).sources


def _shown(draft: Draft) -> DraftBody:
    given = {name: getattr(draft, name) for name in ("hash", "base_hash", "outdated", "planned")}
    return DraftBody(**given, changed=list(draft.changed), files=draft.sources)


def _entry(applied: Applied) -> VersionEntry:
    return VersionEntry(**applied.entry.as_dict())
