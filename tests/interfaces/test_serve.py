"""`keepwell serve`, `worker` and `people` as processes: the first start, signals, kills, and reading while writing."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree

import pytest

from tests.interfaces.cli_world import LAST, contents, keepwell
from tests.interfaces.serving import PASSWORD, environment, free_port, in_site, served, spawned, web_workspace

pytestmark = pytest.mark.slow
PORT = free_port()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, loaded: Path) -> Path:
    """A loaded workspace that was never served."""
    return web_workspace(tmp_path_factory.mktemp("site") / "acme", loaded, PORT)


@pytest.fixture
def mine(site: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(copytree(site, tmp_path / "acme"))


def eventually(ask: object, wanted: str, seconds: float = 60) -> str:
    """Wait until a question is answered as wanted."""
    said, until = "", time.monotonic() + seconds
    while wanted not in said:
        assert time.monotonic() < until, said
        time.sleep(0.2)
        said = ask()  # type: ignore[operator]
    return said


def test_the_first_start_makes_everything_and_lets_the_first_admin_in(mine: Path) -> None:
    with served(mine, PORT) as browser:
        log = mine / "serve.log"
        link = eventually(log.read_text, "/start/")
        address = re.search(r"http://\S+/start/\S+", link)
        assert address is not None
        assert "Sign in" in browser.get("/")[1]
        status, page = browser.post(address[0], email="first@example.com", name="First", password=PASSWORD)
        assert status == 200, page
        assert "First" in page
        # Before nine it is the run of the day before that is due: either way the worker beside begins by itself.
        listed = eventually(lambda: browser.get("/jobs")[1], "tasks opened")
        assert "Done" in listed
        assert browser.get("/today")[0] == 200
        assert "used already" in browser.get(address[0])[1]
    with served(mine, PORT, "--no-worker"):
        again = log.read_text()
    assert "/start/" not in again, "there is an admin now"


def test_two_processes_that_start_at_once_make_one_database(mine: Path) -> None:
    code = "print(Person.objects.count())"
    started = [spawned(mine, "people", "list", "--format", "json") for _ in range(3)]
    assert [process.communicate()[0].count("Traceback") for process in started] == [0, 0, 0]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert in_site(mine, code) == "0"


def test_a_taken_port_is_said_in_words(mine: Path) -> None:
    with served(mine, PORT, "--no-worker"):
        process = spawned(mine, "serve", "--port", PORT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "choose another with --port" in out


def test_people_get_back_in_from_the_command_line(mine: Path) -> None:
    first = spawned(mine, "people", "first-admin").communicate()[0]
    assert re.search(r"^http://\S+/start/\S+$", first.strip(), re.MULTILINE)
    in_site(mine, "Person.objects.create_user('ada@example.com', 'x', role='admin')")
    assert "/start/" in spawned(mine, "people", "link", "Ada@example.com").communicate()[0]
    refused = spawned(mine, "people", "first-admin")
    assert "there is an admin already" in refused.communicate()[0]
    assert refused.returncode == 2
    assert "people list" in spawned(mine, "people", "link", "nobody@example.com").communicate()[0]


def test_the_doctor_looks_at_what_is_served(mine: Path) -> None:
    def findings() -> dict[str, tuple[str, str]]:
        process = spawned(mine, "doctor", "--format", "json", out=subprocess.PIPE)
        out, _ = process.communicate()
        return {f["check"]: (f["state"], f["message"]) for f in json.loads(out[out.index("[") :])}

    assert findings()["web"] == ("note", "never served yet; 'keepwell serve' makes the application database")
    assert "first-admin" in spawned(mine, "people", "list").communicate()[0]
    found = findings()
    assert found["database"][0] == "ok"
    assert found["worker"][0] == found["people"][0] == "warning"
    assert "first-admin" in found["people"][1]
    in_site(mine, "Person.objects.create_user('admin@demo.keepwell.example', 'x', role='admin')")
    config = mine / "keepwell.toml"
    config.write_text(config.read_text() + 'url = "http://crm.example.com"\n')
    found = findings()
    assert "not encrypted" in found["web"][1]
    assert found["people"][0] == "error"


_CLAIM = "job, _ = jobs.job_enqueue(jobs.Actor('t'), kind='daily', key='{day}', as_of='{day}', now=clock.now())\n"
_TAKE = "from datetime import timedelta\njob = jobs.job_claim('t', clock.now() + timedelta(minutes={late}))\n"
_SHOW = "print(job.pk, job.attempts)"
_TASKS = "print(sorted(Task.objects.values_list('customer_id', 'play', 'title', 'state', 'due_at__date')))"


def performed(folder: Path, take: str, kill_after: float | None = None) -> int:
    """Claim the job and do it in a process of its own, perhaps only for a while."""
    number, attempt = in_site(folder, take + _SHOW).split()
    process = spawned(folder, "job", number, "--attempt", attempt)
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
    process.communicate()
    return process.returncode


def test_a_run_that_is_killed_anywhere_and_taken_over_ends_the_same(mine: Path, site: Path, tmp_path: Path) -> None:
    calm = Path(copytree(site, tmp_path / "calm"))
    queue = _CLAIM.format(day=LAST)
    assert performed(calm, queue + _TAKE.format(late=0)) == 0
    performed(mine, queue + _TAKE.format(late=0), kill_after=1.6)
    performed(mine, _TAKE.format(late=2), kill_after=2.4)
    assert performed(mine, _TAKE.format(late=4)) == 0
    assert contents(mine) == contents(calm)
    tasks = in_site(mine, _TASKS)
    assert tasks == in_site(calm, _TASKS)
    assert tasks.count("datetime.date") > 10, "a run opens tasks"
    state = "print(Job.objects.get().state, Job.objects.get().attempts, jobs.job_claim('t', clock.now()))"
    assert in_site(mine, state) == "done 3 None"


def test_a_job_ends_with_the_worker_that_started_it(mine: Path) -> None:
    in_site(mine, "jobs.job_enqueue(jobs.Actor('t'), kind='publish', key='x', now=clock.now())")
    worker = spawned(mine, "worker", out=subprocess.DEVNULL)
    eventually(lambda: in_site(mine, "print(Job.objects.exclude(claimed_by='').count())"), "1")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=30) == 0
    state = in_site(mine, "print(Job.objects.filter(state='running').count())")
    assert state == "0", "a worker that is told to stop gives its job back"


@pytest.fixture
def publishing(mine: Path, publishes: int) -> Iterator["subprocess.Popen[str]"]:
    """Publishes so many days one after the other."""
    assert keepwell("-w", mine, "backfill", "--from", "2026-06-01", "--to", "2026-06-10").code == 0
    code = (
        "import sys\nfrom datetime import date\nfrom pathlib import Path\n"
        "from keepwell.services.published import publish_copies\nfrom keepwell.services.runs import run_day\n"
        "from keepwell.services.workspace import workspace_open\n"
        f"here = workspace_open(Path({str(mine)!r}))\nsys.stdin.readline()\n"
        f"for day in range({31 - publishes}, 31):\n"
        "    run_day(here, as_of=date(2026, 6, day))\n    publish_copies(here)\n"
    )
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=environment())
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize(("requests", "publishes"), [(250, 5), pytest.param(1000, 20, marks=pytest.mark.long)])
def test_the_web_answers_while_runs_publish(
    mine: Path, publishing: "subprocess.Popen[str]", requests: int, publishes: int
) -> None:
    """So many requests during so many publishes, without an error."""
    in_site(mine, f"Person.objects.create_user('ada@example.com', {PASSWORD!r}, role='admin')")
    pages = ["/portfolio", "/portfolio/overview", "/customers/c-00001", "/jobs", "/search?q=re", "/portfolio?page=2"]
    with served(mine, PORT, "--no-worker") as browser:
        status, page = browser.post("/accounts/login/", login="ada@example.com", password=PASSWORD)
        assert status == 200
        assert "Jobs" in page
        assert publishing.stdin is not None
        publishing.stdin.write("go\n")
        publishing.stdin.flush()
        statuses: list[int] = []
        with ThreadPoolExecutor(4) as pool:
            while len(statuses) < requests or publishing.poll() is None:
                wanted = [pages[number % len(pages)] for number in range(40)]
                statuses += [status for status, _ in pool.map(browser.get, wanted)]
        assert publishing.wait() == 0
        assert set(statuses) == {200}
        assert "As of 30 Jun 2026" in browser.get("/jobs")[1]
