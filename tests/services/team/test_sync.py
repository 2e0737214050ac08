"""Sync: the inbox and what the workspace learned go into the canonical tables, once, in order."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from keepwell.services.published import publish_copies
from keepwell.services.runs import run_day
from keepwell.services.team.audit import Actor
from keepwell.services.team.offering.written_back import keep_accepted
from keepwell.services.team.outbox.suppression import allow, suppress
from keepwell.services.team.sync import Synced, inbox_files, inbox_of, sync
from keepwell.services.workspace import Workspace, workspace_init
from keepwell.store.models import CanonicalWrite, Offer
from tests.web import LAST, NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def fresh(tmp_path: Path) -> Workspace:
    made = workspace_init(tmp_path / "fresh", pack="b2b-saas")
    inbox_of(made).mkdir()
    return made


def put(workspace: Workspace, name: str, text: str) -> Path:
    path = inbox_of(workspace) / name
    path.write_text(text, encoding="utf-8")
    return path


def synced(workspace: Workspace) -> Synced:
    return sync(workspace, now=NOW, today=LAST, step=lambda text: None, on_wait=None)


def rows(workspace: Workspace, sql: str) -> list[tuple[Any, ...]]:
    with workspace.warehouse("test") as warehouse:
        return warehouse.connection.execute(sql).fetchall()


CUSTOMERS = "customer_id,name,status,mrr\na,Acme,active,100\nb,Bolt,active,200\n"


def test_files_of_the_inbox_are_loaded_and_put_away(fresh: Workspace) -> None:
    put(fresh, "tickets.csv", "ticket_id,customer_id,created_at\nt1,a,2026-06-01T00:00:00Z\n")
    put(fresh, "customers.csv", CUSTOMERS)
    put(fresh, ".customers.csv.part", "half a f")
    done = synced(fresh)
    assert (done.files, done.rows, done.quarantined, done.problems) == (2, 3, 0, ())
    assert rows(fresh, "SELECT count(*) FROM tickets") == [(1,)]
    assert {p.name for p in (inbox_of(fresh) / "done" / "2026-06-30").iterdir()} == {"tickets.csv", "customers.csv"}
    assert inbox_files(fresh) == ()
    assert synced(fresh) == Synced()
    put(fresh, "customers.csv", CUSTOMERS)
    synced(fresh)
    assert (inbox_of(fresh) / "done" / "2026-06-30" / "2-customers.csv").exists(), "nothing is overwritten"


def test_what_cannot_be_read_stays_and_is_named(fresh: Workspace) -> None:
    unknown = put(fresh, "cutsomers.csv", CUSTOMERS)
    put(fresh, "customers.csv", CUSTOMERS + ",No id,active,1\n")
    done = synced(fresh)
    assert done.quarantined == 1
    assert any("did you mean customers?" in problem for problem in done.problems)
    assert any(problem.startswith("quarantined: customers.csv: 1 row: ") for problem in done.problems)
    assert inbox_files(fresh) == (unknown,)


def test_a_mapping_in_the_inbox_says_where_foreign_files_go(fresh: Workspace) -> None:
    put(
        fresh,
        "crm.map.yaml",
        "files:\n  - file: accounts*.csv\n    targets:\n      - table: customers\n        columns:\n"
        "          customer_id: Id\n          name: Account\n          status: {constant: active}\n",
    )
    put(fresh, "accounts-june.csv", "Id,Account\nx,Xenia\n")
    put(fresh, "customers.csv", CUSTOMERS)
    done = synced(fresh)
    assert (done.files, done.problems) == (2, ())
    assert rows(fresh, "SELECT name FROM customers ORDER BY 1") == [("Acme",), ("Bolt",), ("Xenia",)]
    assert [path.name for path in inbox_of(fresh).glob("*.yaml")] == ["crm.map.yaml"]


def test_a_mapping_with_mistakes_is_named_and_the_rest_is_loaded(fresh: Workspace) -> None:
    put(fresh, "crm.map.yaml", "files: [{file: accounts.csv}]\n")
    put(fresh, "customers.csv", CUSTOMERS)
    done = synced(fresh)
    assert done.files == 1
    assert any("crm.map.yaml:1" in problem and "targets" in problem for problem in done.problems)


def test_the_inbox_can_be_elsewhere(fresh: Workspace, tmp_path: Path) -> None:
    (fresh.root / "keepwell.toml").open("a").write(f'[sync]\ninbox = "{tmp_path}/drop"\n')
    assert inbox_of(fresh) == tmp_path / "drop"
    assert inbox_files(fresh) == ()


def learn(table: str, **row: Any) -> CanonicalWrite:
    return CanonicalWrite.objects.create(table=table, row=row, made_at=NOW - timedelta(minutes=1))


def test_what_the_workspace_learned_is_loaded_in_order_and_once(fresh: Workspace) -> None:
    put(fresh, "customers.csv", CUSTOMERS.replace("mrr\n", "mrr,synced_at\n").replace("00\n", "00,2026-06-01\n"))
    call = {"customer_id": "a", "kind": "call", "occurred_at": "2026-06-30T08:00:00Z"}
    learn("interactions", interaction_id="i1", **call, outcome="left_message")
    learn("interactions", interaction_id="i1", **call, outcome="completed")
    learn("customers", customer_id="a", name="Acme", status="churned", churned_at="2026-06-30T08:30:00Z")
    learn("interactions", interaction_id="i2", **call)
    done = synced(fresh)
    assert done.problems == ()
    assert rows(fresh, "SELECT interaction_id, outcome FROM interactions ORDER BY 1") == [
        ("i1", "completed"),
        ("i2", None),
    ]
    assert rows(fresh, "SELECT status, mrr FROM customers WHERE customer_id = 'a'") == [("churned", 100)]
    assert not CanonicalWrite.objects.filter(loaded_at=None).exists()
    assert synced(fresh) == Synced()


def test_a_sync_that_was_killed_before_it_could_say_so_changes_nothing_more(fresh: Workspace) -> None:
    put(fresh, "customers.csv", CUSTOMERS)
    learn("interactions", interaction_id="i1", customer_id="a", kind="call", occurred_at="2026-06-30T08:00:00Z")
    synced(fresh)
    before = rows(fresh, "FROM interactions") + rows(fresh, "FROM customer_history")
    put(fresh, "customers.csv", CUSTOMERS)
    CanonicalWrite.objects.update(loaded_at=None)
    synced(fresh)
    assert rows(fresh, "FROM interactions") + rows(fresh, "FROM customer_history") == before


PEOPLE = "person_id,customer_id,email,title,unsubscribed,synced_at\n"
OPS = Actor("ops@example.com")


@pytest.fixture
def peopled(fresh: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A published workspace in which Ada is known at two customers, and Bob's own system says that he unsubscribed."""
    monkeypatch.setattr(settings, "KEEPWELL_WORKSPACE", str(fresh.root))
    put(fresh, "customers.csv", CUSTOMERS)
    ada = "p1,a,Ada@Acme.example,CEO,false,2026-06-01\np2,b,ada@acme.example,,,2026-06-01\n"
    put(fresh, "people.csv", PEOPLE + ada + "p3,b,bob@bolt.example,,true,2026-06-01\n")
    day(fresh)
    return fresh


def day(workspace: Workspace) -> None:
    synced(workspace)
    run_day(workspace, as_of=LAST)
    publish_copies(workspace)


def said(workspace: Workspace) -> dict[str, Any]:
    return dict(rows(workspace, "SELECT person_id, unsubscribed FROM people ORDER BY 1"))


def written() -> list[tuple[str, bool]]:
    return [(w.row["person_id"], w.row["unsubscribed"]) for w in CanonicalWrite.objects.order_by("pk")]


def test_whom_nobody_may_write_to_is_unsubscribed_in_the_data_until_that_is_taken_back(peopled: Workspace) -> None:
    listed = suppress(OPS, "ada@acme.example", why="bounced", now=NOW)
    suppress(OPS, "ada@acme.example", why="bounced", now=NOW)
    assert written() == [("p1", True), ("p2", True)], "once each"
    day(peopled)
    day(peopled)
    assert said(peopled) == {"p1": True, "p2": True, "p3": True}
    assert rows(peopled, "SELECT title, email FROM people WHERE person_id = 'p1'") == [("CEO", "Ada@Acme.example")]
    assert len(written()) == 2, "what is in the data is not written again"
    allow(OPS, listed.pk, NOW + timedelta(minutes=1))
    day(peopled)
    assert said(peopled) == {"p1": False, "p2": False, "p3": True}


def test_who_unsubscribed_elsewhere_stays_so_when_the_list_forgets(peopled: Workspace) -> None:
    allow(OPS, suppress(OPS, "bob@bolt.example", why="bounced", now=NOW).pk, NOW)
    assert written() == []
    day(peopled)
    assert said(peopled)["p3"] is True


def test_a_file_that_says_something_else_is_put_right_by_the_next_run(peopled: Workspace) -> None:
    suppress(OPS, "ada@acme.example", why="unsubscribed", scope="marketing", now=NOW - timedelta(days=1))
    day(peopled)
    put(
        peopled,
        "people.csv",
        PEOPLE + f"p1,a,ada@acme.example,CEO,false,{NOW - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}\n",
    )
    day(peopled)
    assert said(peopled)["p1"] is False
    day(peopled)
    assert said(peopled)["p1"] is True


def test_a_suppression_that_is_taken_back_before_it_was_loaded_leaves_the_data_as_it_was(peopled: Workspace) -> None:
    allow(OPS, suppress(OPS, "ada@acme.example", why="by_hand", now=NOW).pk, NOW)
    again = suppress(OPS, "ada@acme.example", why="by_hand", now=NOW)
    assert written()[-2:] == [("p1", True), ("p2", True)], "what waits is what counts"
    allow(OPS, again.pk, NOW)
    day(peopled)
    assert said(peopled) == {"p1": False, "p2": False, "p3": True}


def test_an_accepted_offer_is_an_event_once(fresh: Workspace) -> None:
    """However often it is written down and loaded; segments find it by its name and its properties."""
    put(fresh, "customers.csv", CUSTOMERS)
    offer = Offer.objects.create(
        key="k", customer_id="a", company="Acme", kind="pause", title="A pause", terms={"months": 2}, worth=200,
        state="accepted", made_at=NOW, expires_at=NOW, answered_at=NOW,
    )  # fmt: skip
    for later in (0, 1):
        keep_accepted(offer, NOW + timedelta(days=later))
        assert synced(fresh).quarantined == 0
    found = rows(
        fresh,
        "SELECT s.text, e.value, e.feature, e.person, json_extract_string(e.properties, '$.kind') FROM read_parquet("
        f"'{fresh.data_dir}/facts/events/**/*.parquet') e JOIN symbols s ON s.code = e.name AND s.kind = 'events.name'",
    )
    assert [(name, float(value), *rest) for name, value, *rest in found] == [
        ("offer_accepted", 200.0, None, None, "pause")
    ]
