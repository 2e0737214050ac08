"""A busy hour with two workers that are killed at random moments, against the same hour undisturbed.

Run as a program, `python -m tests.services.team.playing.killing URL KILLS SEED MINUTES`, with the URL of a PostgreSQL
server. It makes a database of its own there, and prints as JSON what both hours left behind and how many were killed.
"""

import hashlib
import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg

LOG: Final = logging.getLogger("killing")
CUSTOMERS: Final = 30
LONGEST_LIFE: Final = 0.02
LONGEST_HOUR: Final = 5
PLAYBOOKS: Final = """
ladder:
  label: Ladder
  trigger: {event: failed}
  stop_on: [reply]
  re_entry: {}
  steps:
    - {email: hello}
    - {name: short, wait: 20min}
    - {task: "Call {company}", within: 4h}
    - {approval: "Offer {company} something?", within: 30min, refused: last}
    - {offer: {kind: custom, title: Something}, message: hello}
    - {name: last, notify: "Look at {company}", channel: slack}
campaign:
  trigger: {event: grown}
  stop_on: [click]
  re_entry: {}
  steps:
    - {in_app: note}
    - {wait_for: [login], at_most: 15min, otherwise: tell}
    - {start: thanks, then: end}
    - {name: tell, update: {lifecycle_stage: expansion}}
    - {wait: 10min}
    - {email: hello}
thanks:
  trigger: {manual: true}
  re_entry: {}
  steps: [{task: "Thank {company}", play: thanks}, {wait: 5min}, {email: hello}]
"""


class Played(NamedTuple):
    """What an hour left behind, how many workers were killed in it, and how many minutes it had."""

    left: dict[str, Any]
    killed: int
    minutes: int


def main(url: str, kills: int, seed: int, minutes: int) -> None:
    """Print what an hour with kills leaves behind, and what one of the same length without them does."""
    folder = Path(tempfile.mkdtemp(prefix="keepwell-killing-"))
    try:
        with own_database(url) as own:
            hour = _hour(folder, own)
            loud = hour(kills, seed, minutes)
            quiet = hour(0, seed, loud.minutes)
        print(json.dumps({"quiet": quiet.left, "loud": loud.left, "killed": loud.killed}))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """A database of one's own on the server."""
    name = f"killing_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        # Workers are killed, the server is not: what it has said is done stays done without a disk that spins.
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off".encode())
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        import_module("django.db").connections.close_all()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _hour(folder: Path, url: str) -> Callable[[int, int, int], Played]:
    """Set Django up for a workspace on that database; returns what plays an hour on it."""
    os.environ["KEEPWELL_DATABASE_URL"] = url
    os.environ.pop("KEEPWELL_TEST_DATABASE", None)
    os.environ["KEEPWELL_WORKSPACE"] = str(folder / "workspace")
    os.environ["KEEPWELL_SECRET_KEY"] = "only for tests: " + "0123456789" * 5
    os.environ["DJANGO_SETTINGS_MODULE"] = "keepwell.interfaces.site.settings"
    (folder / "workspace").mkdir()
    (folder / "workspace" / "keepwell.toml").write_text('[workspace]\nname = "Stage"\n', encoding="utf-8")
    import_module("django").setup()
    import_module("django.core.management").call_command("migrate", verbosity=0)
    staged = import_module("tests.services.team.playing.stage")
    calendar = "{quiet_hours: null, quiet_days: [], cap: {messages: 3, per_days: 1}}"
    stage = staged.Stage(staged.workspace_with(folder / "workspace", PLAYBOOKS, calendar=calendar))
    stage.customers = {f"c{number}": staged.known(f"Company {number}") for number in range(CUSTOMERS)}
    return lambda kills, seed, minutes: _played(stage, kills, seed, minutes)


def _played(stage: Any, kills: int, seed: int, minutes: int) -> Played:
    left = import_module("tests.services.team.playing.left_behind")
    left.wipe()
    stage.now = import_module("tests.playbooks.plays").MONDAY
    stage.on("ladder", "campaign", "thanks")
    story, killer = random.Random(seed), random.Random(seed + 1)
    killed = minute = 0
    # A worker that is done before it is killed does not count: twice the pace that is needed, and on a machine that is
    # busy with other things the hour is longer.
    while minute < minutes or (killed < kills and minute < LONGEST_HOUR * minutes):
        left.happen(stage, story)
        minute += 1
        killed += _minute(stage, killer, min(kills, 2 * kills * minute // minutes) - killed, left)
        stage.now += timedelta(minutes=1)
    return Played(left.left_behind(), killed, minute)


def _minute(stage: Any, killer: random.Random, kills: int, left: Any) -> int:
    """Two workers until nothing waits; some are killed on the way, and others come in their place."""
    if not kills:
        stage.turn()
        return 0
    killed = 0
    workers = [_worker(stage, number) for number in range(2)]
    while workers:
        if killed < kills and left.waits(stage.now):
            time.sleep(killer.uniform(0, LONGEST_LIFE))
            victim = killer.choice(workers)
            os.kill(victim, signal.SIGKILL)
            killed += os.WIFSIGNALED(os.waitpid(victim, 0)[1])
            workers.remove(victim)
            workers.append(_worker(stage, killed))
        else:
            for pid in workers:
                assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
            workers = [_worker(stage, 9)] if left.waits(stage.now) else []
    return killed


def _worker(stage: Any, number: int) -> int:
    """A process that plays turns until nothing is left; returns its id."""
    import_module("django.db").connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    try:
        stage.worker = f"w{number}"
        stage.turn(limit=5)
        os._exit(0)
    except BaseException:
        LOG.exception("a worker failed")
        os._exit(1)


def digest(text: str) -> int:
    """A number from a text, the same everywhere."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
