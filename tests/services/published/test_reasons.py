"""The reasons in a list are those that each customer has when it is looked at alone."""

import pytest

from keepwell.evaluation.compiled import compile_model
from keepwell.evaluation.explain import explain_row
from keepwell.evaluation.model_run import evaluate_model
from keepwell.reporting.frames import rows_of_day, snapshot_frame
from keepwell.reporting.reading import read_day
from keepwell.reporting.reasons import Reasons
from keepwell.reporting.reasons_of_many import ReasonsOfMany
from keepwell.services.published import PortfolioQuery, portfolio_page
from keepwell.services.reading import read_published
from keepwell.services.workspace import Workspace


@pytest.mark.parametrize("name", ["scored", "grouped"])
def test_reasons_of_many_are_the_reasons_of_each(name: str, request: pytest.FixtureRequest) -> None:
    workspace: Workspace = request.getfixturevalue(name)
    published = read_published(workspace)
    compiled = compile_model(published.model)
    day = read_day(workspace.snapshots, published.as_of)
    frame = snapshot_frame(workspace.snapshots, compiled, day, day.ids[day.here].tolist())
    evaluation = evaluate_model(compiled, frame, lean=False)
    reasons, places = Reasons(compiled.model, evaluation, workspace.currency), rows_of_day(frame, day)
    many = ReasonsOfMany(reasons)
    alone = {key: reasons.of(explain_row(evaluation, row), row, 9) for key, row in places.items()}
    assert {key: many.of(row, 9) for key, row in places.items()} == alone
    assert any(alone.values())
    listed = portfolio_page(workspace, PortfolioQuery(limit=1000)).rows
    assert {row.customer_id: row.reasons for row in listed} == {key: said[:2] for key, said in alone.items()}
