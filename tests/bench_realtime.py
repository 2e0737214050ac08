"""How soon an accepted event is an alert: the real server and worker, 200 events a second, one in twenty of them news.

`python -m tests.bench_realtime [--seconds 20] [--a-second 200]`. Time counts from the answer of the server until the
alert can be read in the application database; it is promised to be below two seconds. Ends with 1 when it was not.
"""

import argparse
import hashlib
import json
import os
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from keepwell.simulation import simulate_world
from tests.interfaces.api.ingest.test_speed import CONNECTIONS, MAKE_KEY, Program, event
from tests.interfaces.cli_world import LAST, keepwell
from tests.interfaces.serving import free_port, in_site, served, spawned

PROMISED: Final = 2.0
NEWS: Final = 20
"""One event in so many sets an alert off."""
RULE: Final = "nps_detractor"
CUSTOMERS: Final = 60
QUIET: Final = "WorkspaceSetting.objects.update_or_create(name='daily_runs', defaults={'value': False})\n"


class News(Program):
    """Sends events, of which some are answers of unhappy customers; remembers when each of these was accepted."""

    def __init__(self, port: int, secret: str, number: int, a_second: float, seconds: float, who: list[str]) -> None:
        super().__init__(port, secret, number, a_second, seconds)
        self.who, self.accepted = who, dict[str, float]()

    def sent(self, connection: object, sent: int) -> list[str]:
        name, place = f"{self.number}-{sent}", self.number * 7919 + sent
        body, customer = event(name), self.who[place % len(self.who)]
        body["context"] = {**body["context"], "groupId": customer}  # type: ignore[dict-item]
        news = sent % NEWS == 0
        if news:
            body |= {"event": "nps_answered", "properties": {"score": 2, "comment": "Slow"}}
        body.pop("timestamp")
        connection.request("POST", "/v1/track", json.dumps(body), self.headers)  # type: ignore[attr-defined]
        answer = connection.getresponse()  # type: ignore[attr-defined]
        assert json.loads(answer.read())["accepted"] == 1
        if news:
            self.accepted[key_of(customer, name)] = time.monotonic()
        return [name]


def key_of(customer: str, name: str) -> str:
    """Under which key an alert's history knows an event."""
    return f"{RULE}:{hashlib.sha256(f'{RULE}|{customer}|{name}'.encode()).hexdigest()[:40]}"


class Watcher(threading.Thread):
    """Looks into the application database for what became of events."""

    def __init__(self, database: Path) -> None:
        super().__init__(daemon=True)
        self.database, self.seen, self.stop = database, dict[str, float](), threading.Event()

    def run(self) -> None:
        last = 0
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)) as connection:
            while not self.stop.is_set():
                sql = "SELECT id, key FROM store_alertmark WHERE id > ? AND key IS NOT NULL ORDER BY id"
                for number, key in connection.execute(sql, [last]).fetchall():
                    last = number
                    self.seen[key] = time.monotonic()
                time.sleep(0.01)


def furnished(folder: Path) -> tuple[list[str], str, int]:
    """A published workspace; its customers, a write key, and a free port."""
    world, port = folder / "world", free_port()
    simulate_world(out=world, customers=CUSTOMERS, days=60, end=LAST, seed=1)
    home = folder / "acme"
    assert keepwell("init", home, "--pack", "b2b-saas").code == 0
    assert keepwell("-w", home, "load", world).code == 0
    assert keepwell("-w", home, "run", "--as-of", LAST).code == 0
    with (home / "keepwell.toml").open("a") as config:
        config.write(f"[web]\nport = {port}\n")
    listed = keepwell("-w", home, "show", "customers", "--format", "json")
    assert listed.code == 0
    who = [row["customer_id"] for row in json.loads(listed.out) if row.get("status") != "churned"]
    return who, in_site(home, QUIET + MAKE_KEY), port


def measured(seconds: float, a_second: float) -> tuple[list[float], int, int, float]:
    """Latencies in order, events sent, alerts that are missing, and the worker's share of a core."""
    with tempfile.TemporaryDirectory(prefix="keepwell-realtime-") as place:
        folder = Path(place)
        who, secret, port = furnished(folder)
        home = folder / "acme"
        with served(home, port, "--no-worker"), (folder / "worker.log").open("w") as log:
            worker = spawned(home, "worker", out=log.fileno())
            try:
                _begun(folder / "worker.log")
                before = _cpu(worker.pid)
                watcher = Watcher(next((home / "data").rglob("*.sqlite3")))
                watcher.start()
                rate = a_second / CONNECTIONS
                programs = [News(port, secret, n, rate, seconds, who) for n in range(CONNECTIONS)]
                for one in programs:
                    one.start()
                for one in programs:
                    one.join()
                used = (_cpu(worker.pid) - before) / seconds
                time.sleep(3)
                watcher.stop.set()
                watcher.join()
            finally:
                worker.send_signal(signal.SIGTERM)
                worker.wait(timeout=30)
    accepted = {key: at for one in programs for key, at in one.accepted.items()}
    found = sorted(max(0.0, watcher.seen[key] - at) for key, at in accepted.items() if key in watcher.seen)
    return found, sum(len(one.told) for one in programs), len(accepted) - len(found), used


def _begun(log: Path) -> None:
    """Wait until the worker is at work."""
    until = time.monotonic() + 60
    while "started" not in log.read_text() and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(3)


def _cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure and print a line as docs/figures.md has it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--a-second", type=float, default=200)
    asked = parser.parse_args()
    found, sent, missing, used = measured(asked.seconds, asked.a_second)
    if not found:
        print(f"{sent:,} events, no alert", file=sys.stderr)
        return 1
    p50, p99 = found[len(found) // 2], found[min(len(found) - 1, int(len(found) * 0.99))]
    print(
        f"{sent / asked.seconds:,.0f} events a second, {len(found)} of them news: alert after p50 {p50 * 1000:.0f} ms,"
        f" p99 {p99 * 1000:.0f} ms, slowest {found[-1] * 1000:.0f} ms; {missing} missing; worker {used:.0%} of a core"
    )
    return 0 if not missing and p99 < PROMISED else 1


if __name__ == "__main__":
    sys.exit(main())
