"""A playbook for all customers of a segment: counted first, then started, by those who may."""

import pytest
from django.urls import reverse

from keepwell.model.playbook_definitions import EnteredTrigger
from keepwell.services.planning.sources import current_model
from keepwell.services.published import PortfolioQuery, PortfolioRow, portfolio_rows
from keepwell.services.team.audit import Actor
from keepwell.services.team.playing.many import start_for_many
from keepwell.services.team.playing.switches import switch
from keepwell.services.team.playing.turn import playing_turn
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import AuditEntry, Happening, PlaybookRun
from tests.playbook_rows import run_of
from tests.web import NOW, MakeClient

pytestmark = pytest.mark.django_db
NAME = "revenue_at_risk"
ADDRESS = f"/playbooks/{NAME}/start-many"
WHO = Actor("ops@example.com")


@pytest.fixture
def rows(published: Workspace) -> list[PortfolioRow]:
    return list(portfolio_rows(published, PortfolioQuery()))


def test_a_segment_is_counted_and_then_started(
    client_of: MakeClient, published: Workspace, rows: list[PortfolioRow]
) -> None:
    switch(WHO, published, NAME, True, NOW)
    segment = rows[0].segment or ""
    inside = list(portfolio_rows(published, PortfolioQuery(segments=(segment,))))
    run_of(current_model(published).model, NAME, inside[0])
    manager = client_of("admin")
    shown = manager.get(ADDRESS, {"segment": segment})
    assert (shown.context["wanted"], shown.context["in_it"]) == (len(inside) - 1, 1)
    assert not Happening.objects.exists(), "nothing starts before somebody says so"

    answer = manager.post(ADDRESS, {"segment": segment})
    assert answer.status_code == 302
    started = Happening.objects.filter(kind="start", name=NAME)
    assert set(started.values_list("customer_id", flat=True)) == {row.customer_id for row in inside[1:]}
    assert AuditEntry.objects.get(action="playbook.started_for_many").after["customers"] == len(inside) - 1
    while playing_turn(published, NOW, worker="w"):
        pass
    assert PlaybookRun.objects.filter(playbook=NAME).count() == len(inside)


def test_it_goes_on_for_those_whom_its_trigger_does_not_mean(published: Workspace, rows: list[PortfolioRow]) -> None:
    model = current_model(published).model
    stops = next(n for n, p in model.playbooks.items() if "signal_off" in p.stop_on and p.audience is None)
    signal = model.playbooks[stops].trigger.signal  # type: ignore[union-attr]
    calm = [row.customer_id for row in rows if signal not in row.signals][:5]
    switch(WHO, published, stops, True, NOW)
    start_for_many(WHO, published, stops, calm, "calm ones", NOW)
    while playing_turn(published, NOW, worker="w"):
        pass
    runs = PlaybookRun.objects.filter(playbook=stops)
    assert runs.exists()
    assert "signal off" not in set(runs.values_list("reason", flat=True))


def test_what_is_off_starts_for_nobody(client_of: MakeClient, published: Workspace, rows: list[PortfolioRow]) -> None:
    with pytest.raises(WorkspaceError, match="Switch it on first"):
        start_for_many(WHO, published, NAME, [rows[0].customer_id], "everybody", NOW)
    page = client_of("ops").get(ADDRESS, {"segment": "everybody"}).content.decode()
    assert "Switch it on" in page
    assert "Start for 6" not in page
    client_of("ops").post(ADDRESS, {"segment": "everybody"})
    assert not Happening.objects.exists()


def test_a_csm_starts_it_for_one_at_a_time(client_of: MakeClient, published: Workspace) -> None:
    switch(WHO, published, NAME, True, NOW)
    csm = client_of("csm")
    assert csm.get(ADDRESS).status_code == 403
    assert csm.post(ADDRESS, {"segment": "everybody"}).status_code == 403
    assert "start-many" not in csm.get(f"/playbooks/{NAME}").content.decode()


def test_a_segment_that_is_none_starts_nothing(client_of: MakeClient, published: Workspace) -> None:
    switch(WHO, published, NAME, True, NOW)
    answer = client_of("ops").post(ADDRESS, {"segment": "no such segment"})
    assert answer.status_code == 200
    assert not Happening.objects.exists()


def test_a_segment_leads_to_the_playbooks_that_carry_out_its_strategy(
    client_of: MakeClient, published: Workspace
) -> None:
    name, segment = next(
        (n, p.trigger.segment_entered)
        for n, p in current_model(published).model.playbooks.items()
        if isinstance(p.trigger, EnteredTrigger)
    )
    ops, address = client_of("ops"), reverse("segment", args=[segment])
    figures = {"HX-Request": "true", "HX-Target": "figures"}
    off = ops.get(address, headers=figures).content.decode()
    assert reverse("playbook", args=[name]) in off
    assert "Start for all who are in it" not in off
    switch(WHO, published, name, True, NOW)
    on = ops.get(address, headers=figures).content.decode()
    assert reverse("playbook_start_many", args=[name]) in on
