"""The pages of background work and settings: who may, what they say, what they change."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from keepwell.services.team.audit import Actor
from keepwell.services.team.jobs import Claim, Done, job_claim, job_enqueue, job_fail, job_finish, job_step
from keepwell.services.team.settings import team_settings
from keepwell.services.team.worker import beat
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Job
from tests.web import LAST, NOW, MakeClient

pytestmark = pytest.mark.django_db


def text_of(client: Client, name: str, *arguments: object, **headers: str) -> str:
    answer = client.get(reverse(name, args=arguments), headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def a_job(key: str = "2026-06-30") -> Job:
    return job_enqueue(Actor("worker"), kind=Job.Kind.DAILY, key=key, now=NOW, as_of=LAST)[0]


@pytest.mark.parametrize("role", ["viewer", "csm", "manager"])
def test_background_work_is_for_ops(client_of: MakeClient, role: str) -> None:
    client, job = client_of(role), a_job()
    assert client.get(reverse("jobs")).status_code == 403
    assert client.get(reverse("job", args=[job.pk])).status_code == 403
    for name, arguments in (("job_run", []), ("job_load", []), ("job_backfill", []), ("job_stop", [job.pk])):
        assert client.post(reverse(name, args=arguments)).status_code == 403
    assert client.get(reverse("settings")).status_code == 403
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    assert Job.objects.count() == 1


def test_settings_are_for_admins(client_of: MakeClient) -> None:
    assert client_of("ops").get(reverse("settings")).status_code == 403


def test_an_empty_list_says_what_comes(client_of: MakeClient) -> None:
    shown = text_of(client_of("ops"), "jobs")
    assert "Nothing has run yet" in shown
    assert "none has run yet" in shown
    assert "hx-trigger" not in shown.split('id="jobs-table"')[1].split(">")[0]


def test_ops_runs_now_once(client_of: MakeClient) -> None:
    client = client_of("ops")
    first = client.post(reverse("job_run"))
    again = client.post(reverse("job_run"), follow=True)
    job = Job.objects.get()
    assert first.headers["Location"] == reverse("job", args=[job.pk])
    assert (job.kind, job.key, job.as_of) == (Job.Kind.DAILY, str(LAST), LAST)
    assert again.redirect_chain[-1][0] == reverse("job", args=[job.pk])
    assert AuditEntry.objects.filter(action="job.asked").count() == 1


def test_a_running_job_renews_itself_and_says_what_it_does(client_of: MakeClient) -> None:
    client, job = client_of("ops"), a_job()
    claimed = job_claim("one", NOW)
    assert claimed is not None
    job_step(Claim(job.pk, 1), "Computing 2026-06-30", 0.6)
    for name, arguments in (("jobs", []), ("job", [job.pk])):
        shown = text_of(client, name, *arguments, hx_request="true")
        assert "Computing 2026-06-30" in shown
        assert 'aria-valuenow="60"' in shown
        assert 'hx-trigger="every 2s"' in shown
        assert "<html" not in shown


def test_an_ended_job_shows_counts_warnings_and_stops_asking(client_of: MakeClient) -> None:
    client, job = client_of("ops"), a_job()
    job_claim("one", NOW)
    done = Done({"customers": 742, "tasks opened": 3}, ("tickets: stale",), problems=True)
    job_finish(Claim(job.pk, 1), done, NOW + timedelta(seconds=65))
    shown = text_of(client, "job", job.pk)
    assert all(words in shown for words in ("742", "tickets: stale", "Done with problems", "1 min 5 s", "Run again"))
    assert "every 2s" not in shown
    listed = text_of(client, "jobs")
    assert "742 customers, 3 tasks opened, 1 warning" in listed


def test_a_failure_is_shown_with_its_next_attempt(client_of: MakeClient) -> None:
    client, job = client_of("ops"), a_job()
    job_claim("one", NOW)
    job_fail(Claim(job.pk, 1), "scores.yaml:3:1: error: <b>no</b>", NOW)
    shown = text_of(client, "job", job.pk)
    assert "scores.yaml:3:1: error: &lt;b&gt;no" in shown
    assert "the next one begins 30 Jun 2026, 09:05" in shown


def test_a_job_is_cancelled_from_its_page(client_of: MakeClient) -> None:
    client, job = client_of("ops"), a_job()
    client.post(reverse("job_stop", args=[job.pk]))
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED
    client.post(reverse("job_repeat", args=[job.pk]))
    assert Job.objects.filter(state=Job.State.QUEUED).count() == 1


def test_a_range_is_checked_where_it_is_asked_for(client_of: MakeClient) -> None:
    client = client_of("ops")
    refused = client.post(reverse("job_backfill"), {"first": "2026-06-30", "last": "2026-06-01"})
    assert refused.status_code == 422
    assert "before it begins" in refused.content.decode()
    assert client.post(reverse("job_backfill"), {"first": "x", "last": ""}).status_code == 422
    assert client.post(reverse("job_backfill"), {"first": "2026-06-01", "last": "2026-06-03"}).status_code == 302
    assert Job.objects.get().arguments == {"first": "2026-06-01", "last": "2026-06-03"}


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_asks_the_database_the_same_for_any_number(
    client_of: MakeClient,
    number: int,
    django_assert_num_queries,  # type: ignore[no-untyped-def]
) -> None:
    client = client_of("ops")
    for day in range(number):
        a_job(f"2026-06-{day + 1:02}")
    with django_assert_num_queries(7):
        client.get(reverse("jobs"))


def test_the_day_by_a_new_model_is_called_so(client_of: MakeClient) -> None:
    span = {"first": LAST.isoformat(), "last": LAST.isoformat()}
    key = f"model-3-{LAST}"
    job_enqueue(Actor("worker"), kind=Job.Kind.BACKFILL, key=key, now=NOW, as_of=LAST, arguments=span)
    assert "Figures by version 3 of the model" in text_of(client_of("ops"), "jobs")


def test_the_list_filters(client_of: MakeClient) -> None:
    client = client_of("ops")
    a_job()
    assert "Daily run of" in client.get(reverse("jobs"), {"kind": "daily"}).content.decode()
    assert "No such work" in client.get(reverse("jobs"), {"kind": "plan"}).content.decode()
    assert client.get(reverse("jobs"), {"kind": "nonsense"}).status_code == 200


def test_the_worker_is_seen(client_of: MakeClient) -> None:
    client = client_of("ops")
    answer = client.get(reverse("jobs"))
    beat("host 1", answer.wsgi_request.now)  # type: ignore[attr-defined]
    assert "working" in text_of(client, "jobs")
    beat("host 1", NOW - timedelta(days=2))
    assert "silent since 28 Jun 2026, 09:00" in text_of(client, "jobs")


def test_an_admin_changes_settings(client_of: MakeClient, published: Workspace) -> None:
    client = client_of("admin")
    assert 'value="125"' in text_of(client, "settings"), "the model's own capacity"
    given = {"run_time": "07:30", "weekly_touchpoints": "300", "upload_mb": "50"}
    assert client.post(reverse("settings"), given).status_code == 302
    now_set = team_settings(published)
    assert (f"{now_set.run_time:%H:%M}", now_set.daily_runs, now_set.weekly_touchpoints) == ("07:30", False, 300)
    entry = AuditEntry.objects.get(action="settings.changed")
    assert entry.before == {"run_time": "09:00", "daily_runs": True, "weekly_touchpoints": 125, "upload_mb": 200}
    large = client.post(reverse("settings"), given | {"upload_mb": "1001"})
    assert large.status_code == 422
    assert "keepwell load" in unescape(str(large.context["form"].errors["upload_mb"]))
    refused = client.post(reverse("settings"), given | {"run_time": "25:00", "weekly_touchpoints": "0"})
    assert refused.status_code == 422
    assert team_settings(published) == now_set


def test_a_backfill_says_its_range_and_how_many_days_it_made(client_of: MakeClient) -> None:
    def shown(first: str, **more: Any) -> str:
        span = {"first": first, "last": "2026-06-30"}
        about: dict[str, Any] = {"state": "done", "counts": {"days": 29, "customers": 60}, **more}
        key = f"{first}{more}"
        job, _ = job_enqueue(Actor("ops"), kind=Job.Kind.BACKFILL, key=key, now=NOW, as_of=LAST, arguments=span)
        Job.objects.filter(pk=job.pk).update(**about)
        return str(client_of("ops").get(f"/jobs/{job.pk}").content.decode())

    page = shown("2026-06-01")
    assert "1 Jun 2026 to 30 Jun 2026" in page
    assert "29 of 30 days" in page
    assert "Customers on the last day" in page
    assert "none yet of 30" in shown("2026-06-01", state="running", counts={})
    page = shown("2026-06-30")
    assert "2026 to" not in page
    assert '<dd class="col-7">30 Jun 2026</dd>' in page


def test_the_list_says_one_row_and_two_rows(client_of: MakeClient) -> None:
    Job.objects.filter(pk=a_job().pk).update(state=Job.State.DONE, counts={"rows read": 1, "rows quarantined": 2})
    assert "1 row read, 2 rows quarantined" in text_of(client_of("ops"), "jobs")
