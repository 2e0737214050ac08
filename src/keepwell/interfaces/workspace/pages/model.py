"""The model for CS-ops: scorecards as tables that can be edited, everything else it says, and its files."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.model_shown import (
    condition_lines,
    histogram_option,
    metric_source,
    path_of,
    score_lines,
    segment_label,
    setting_lines,
)
from keepwell.interfaces.workspace.pages.shared import PageRequest, customer_or_404, page
from keepwell.model.diff import diff_models
from keepwell.model.loader import LoadedModel
from keepwell.model.problems import DefinitionError
from keepwell.reporting.condition_words import ConditionWords
from keepwell.services.planning.edits import Edit, EditError, edit_model, edit_value
from keepwell.services.planning.preview import distribution, try_one
from keepwell.services.planning.scorecard import bands_table, scorecard_table, settings_table
from keepwell.services.planning.sources import current_model, load_sources
from keepwell.services.planning.spreading import Spread, spread_edits, spread_weights
from keepwell.services.published import PortfolioQuery, portfolio_page
from keepwell.services.team.access import Action, may, scope_of
from keepwell.services.team.model_changes import (
    Draft,
    ModelChangeError,
    discard_draft,
    draft_of,
    edit_draft,
    rebase_draft,
    write_draft,
)
from keepwell.services.workspace import WorkspaceError

FOUND = 8


@require_GET
@page(Action.SEE)
def model(request: PageRequest) -> HttpResponseBase:
    """Scorecards, bands and settings; the draft's values where there is one."""
    return render(request, "workspace/model/scorecards.html", scorecards_known(request))


@require_POST
@page(Action.EDIT_MODEL)
def model_edit(request: PageRequest) -> HttpResponseBase:
    """Change values of the draft, all of a form together: weights have to add up."""
    given = {path: str(text) for name, text in request.POST.items() if (path := path_of(name))}
    problems: list[str] = []
    spreads: tuple[Spread, ...] = ()
    draft = draft_of(request.workspace, request.user)
    edits = _edits(draft, given)
    try:
        edit_draft(request.workspace, request.user, edits, request.now)
    except EditError as error:
        problems = [str(error)]
    except DefinitionError as error:
        problems = [one.message for one in error.problems]
        spreads = _offer(draft, edits)
    known = scorecards_known(request) | {"edit_problems": problems, "typed_values": given if problems else {}}
    known |= {"spreads": spreads, "with_spread": [*edits, *spread_edits(spreads)] if spreads else []}
    return render(request, "workspace/model/scorecards_body.html", known, status=422 if problems else 200)


@require_GET
@page(Action.SEE)
def model_preview(request: PageRequest) -> HttpResponseBase:
    """The distribution of scores with the draft, from the last day's values."""
    draft = draft_of(request.workspace, request.user)
    loaded = load_sources(draft.sources)
    try:
        found = distribution(request.workspace, loaded).as_dict()
    except WorkspaceError as error:
        return render(request, "workspace/model/preview.html", {"message": str(error)})
    charts = [(score, histogram_option(score["histogram"])) for score in found["scores"]]
    words = ConditionWords(loaded.model)
    known = {"found": found, "charts": charts, "draft": draft}
    models = (loaded.model, load_sources(draft.base).model)
    known |= {"labels": {count["name"]: segment_label(models, count["name"]) for count in found["segment_counts"]}}
    known |= {"unavailable": [words.name(name) for name in found["unavailable"]]}
    return render(request, "workspace/model/preview.html", known)


@require_GET
@page(Action.SEE)
def model_try(request: PageRequest) -> HttpResponseBase:
    """One customer by the model as it is and by the draft."""
    text, chosen = request.GET.get("q", "").strip(), request.GET.get("customer", "")
    known: dict[str, Any] = {"text": text, **_about(request)}
    if chosen:
        customer_or_404(request, chosen)
        tried = try_one(request.workspace, load_sources(known["draft"].sources), chosen)
        known["tried"] = tried
        sides = [
            [(s, score_lines(known["loaded"].model, s)) for s in side.scores] for side in (tried.before, tried.after)
        ]
        known["scores"] = list(zip(*sides, strict=False))
        known["segments"] = [[s.label for s in side.segments if s.primary] for side in (tried.before, tried.after)]
    elif text:
        query = PortfolioQuery(search=text, limit=FOUND, scope=scope_of(request.user))
        known["found"] = portfolio_page(request.workspace, query).rows
    template = "try_body" if request.htmx and not request.htmx.boosted else "try"
    return render(request, f"workspace/model/{template}.html", known)


@require_GET
@page(Action.SEE)
def model_segments(request: PageRequest) -> HttpResponseBase:
    """Segments and signals with their conditions, and all metrics."""
    known = _about(request)
    definitions = known["loaded"].model
    words = ConditionWords(definitions)
    known |= {
        "segments": [(name, s, condition_lines(known["loaded"], s.when)) for name, s in definitions.segments.items()],
        "signals": [(name, s, condition_lines(known["loaded"], s.when)) for name, s in definitions.signals.items()],
        "metrics": [
            (name, words.name(name), metric, metric_source(definitions, metric))
            for name, metric in definitions.metrics.items()
        ],
        "labels": {name: words.segment(name) for name in definitions.segments},
        "titles": {name: words.title(s.task.title) for name, s in definitions.segments.items() if s.task},
        "by": {name: words.name(s.by).lower() for name, s in definitions.segments.items() if s.by},
    }
    return render(request, "workspace/model/definitions.html", known)


@page(Action.SEE)
def model_file(request: PageRequest, name: str) -> HttpResponseBase:
    """One of the model's files; CS-ops edit it here."""
    known = _about(request)
    draft: Draft = known["draft"]
    if name not in draft.sources:
        raise Http404
    known |= {"name": name, "text": draft.sources[name]}
    if request.method != "POST":
        return render(request, "workspace/model/file.html", known)
    if not may(request.user, Action.EDIT_MODEL):
        raise Http404
    text = request.POST.get("text", "")
    try:
        write_draft(request.workspace, request.user, name, text, request.now)
    except DefinitionError as error:
        known |= {"text": text, "problems": error.problems}
        return render(request, "workspace/model/file.html", known, status=422)
    messages.success(request, f"{name} is in your draft. Nothing counts before it is planned and applied.")
    return redirect("model_file", name=name)


@require_POST
@page(Action.EDIT_MODEL)
def model_discard(request: PageRequest) -> HttpResponseBase:
    """Forget the draft."""
    discard_draft(request.user)
    messages.success(request, "The draft was discarded; the model is as it was.")
    return redirect("model")


@require_POST
@page(Action.EDIT_MODEL)
def model_rebase(request: PageRequest) -> HttpResponseBase:
    """Take over what somebody else applied meanwhile."""
    try:
        rebase_draft(request.workspace, request.user, request.now)
    except (DefinitionError, ModelChangeError) as error:
        messages.error(request, f"The draft does not fit the model as it is now: {error}")
    else:
        messages.success(request, "Your draft now starts from the model as it is.")
    return redirect("model")


def scorecards_known(request: PageRequest) -> dict[str, Any]:
    """What the scorecards' page shows."""
    known = _about(request)
    loaded: LoadedModel = known["loaded"]
    rows = scorecard_table(loaded)
    known["scores"] = [
        {
            "name": name,
            "label": score.label or name,
            "kind": score.kind,
            "rows": [row for row in rows if row.score == name],
            "bands": [band for band in bands_table(loaded) if band.score == name],
        }
        for name, score in loaded.model.scores.items()
    ]
    known["settings"] = setting_lines(settings_table(loaded))
    return known


def _edits(draft: Draft, given: Mapping[tuple[str | int, ...], str]) -> list[Edit]:
    """Edits for what differs from the draft."""
    loaded = load_sources(draft.sources)
    rows = [row.editable for row in scorecard_table(loaded)]
    rows += [row.editable for row in bands_table(loaded)]
    rows += [row.editable for row in settings_table(loaded)]
    before = {one.path: one.value for editable in rows for one in editable}
    wanted = {path: edit_value(text) for path, text in given.items() if path in before}
    return [Edit(path, value) for path, value in wanted.items() if value != before[path]]


def _offer(draft: Draft, edits: Sequence[Edit]) -> tuple[Spread, ...]:
    """The other weights made to fit, if that alone makes the model good."""
    wanted = {edit.path: edit.value for edit in edits}
    spreads = spread_weights(load_sources(draft.sources), wanted)
    try:
        load_sources(edit_model(draft.sources, [*edits, *spread_edits(spreads)]))
    except (EditError, DefinitionError):
        return ()
    return spreads


def _about(request: PageRequest) -> dict[str, Any]:
    """What every page of the model shows: the draft, what it changes, and the files."""
    draft = draft_of(request.workspace, request.user)
    loaded = load_sources(draft.sources) if draft.changed else current_model(request.workspace)
    changes = diff_models(current_model(request.workspace).model, loaded.model) if draft.changed else ()
    return {"draft": draft, "loaded": loaded, "changes": changes, "files": sorted(draft.sources)}
