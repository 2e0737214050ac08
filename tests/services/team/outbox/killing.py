"""Two workers that send to a mail server and are killed at random moments.

Run as a program, `python -m tests.services.team.outbox.killing MESSAGES KILLS SEED`: prints as JSON what the outbox
says of each message in the end, and how often the server got it.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from aiosmtpd.controller import Controller

from keepwell.services.workspace import workspace_init

NOON: Final = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)
LONGEST_LIFE: Final = 0.3
WORKERS: Final = 2


class Server:
    """Counts what it gets, by Message-ID."""

    def __init__(self) -> None:
        self.got: Counter[str] = Counter()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        await asyncio.sleep(0.01)
        self.got[str(message_from_bytes(envelope.content)["Message-ID"])] += 1
        return "250 OK"


def main(messages: int, kills: int, seed: int) -> None:
    """Print what is left."""
    folder = Path(tempfile.mkdtemp(prefix="keepwell-killing-"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Server()
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        _set_up(folder, port)
        world = import_module("tests.services.team.outbox.world")
        world.go_live()
        rows = [world.waiting(now=NOON) for _ in range(messages)]
        killed = _killed(kills, random.Random(seed))
        print(json.dumps({"rows": _left(rows, server.got), "killed": killed}))
    finally:
        controller.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _set_up(folder: Path, port: int) -> None:
    workspace_init(folder / "workspace", pack="b2b-saas")
    os.environ.pop("KEEPWELL_DATABASE_URL", None)
    os.environ |= {
        "KEEPWELL_WORKSPACE": str(folder / "workspace"),
        "KEEPWELL_SECRET_KEY": "only for tests: " + "0123456789" * 5,
        "KEEPWELL_EMAIL_URL": f"smtp://127.0.0.1:{port}/?tls=0",
        "DJANGO_SETTINGS_MODULE": "keepwell.interfaces.site.settings",
    }
    import_module("django").setup()
    import_module("django.core.management").call_command("migrate", verbosity=0)
    # Read here once: a worker that has to read it first is killed before it sends anything.
    here = import_module("keepwell.services.team.here").workspace()
    import_module("keepwell.services.team.outbox.delivery")
    import_module("keepwell.services.team.outbox.texts").calendar_now(here)


def _killed(kills: int, killer: random.Random) -> int:
    """Workers at work, one after the other killed and replaced; the last ones finish. Each death takes a lease."""
    now, killed = NOON, 0
    workers = [_worker(number, now) for number in range(WORKERS)]
    while killed < kills and workers:
        time.sleep(killer.uniform(0, LONGEST_LIFE))
        victim = workers.pop(killer.randrange(len(workers)))
        os.kill(victim, signal.SIGKILL)
        killed += os.WIFSIGNALED(os.waitpid(victim, 0)[1])
        now += timedelta(minutes=4)
        workers.append(_worker(killed + WORKERS, now))
    for pid in workers:
        os.waitpid(pid, 0)
    last = _worker(0, now + timedelta(hours=1))
    assert os.waitstatus_to_exitcode(os.waitpid(last, 0)[1]) == 0
    return killed


def _worker(number: int, now: datetime) -> int:
    """A process that sends until nothing is due; returns its id."""
    import_module("django.db").connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        turn = import_module("keepwell.services.team.outbox.delivery").delivery_turn
        here = import_module("keepwell.services.team.here").workspace()
        while turn(here, now, worker=f"w{number}", limit=4):
            pass
        code = 0
    finally:
        os._exit(code)


def _left(rows: list[Any], got: Counter[str]) -> list[tuple[str, str, int]]:
    """The state, the reason and how often it arrived, for each message."""
    message_id = import_module("keepwell.services.team.outbox.email").message_id
    for row in rows:
        row.refresh_from_db()
    return [(row.state, row.error, got[message_id(row)]) for row in rows]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
