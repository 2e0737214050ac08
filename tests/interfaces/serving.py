"""A workspace served by processes of its own, as people run it; and a browser without a screen."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from tests.interfaces.cli_world import LAST

PROGRAM = [sys.executable, "-m", "keepwell.interfaces.cli"]
PASSWORD = "long enough for everybody"  # noqa: S105 - of somebody who lives in tests


def environment() -> dict[str, str]:
    """Without what the tests' own Django needs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("KEEPWELL_", "DJANGO_"))}


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port


def web_workspace(folder: Path, loaded: Path, port: int) -> Path:
    """A copy of a loaded workspace in which it is the last day of its data."""
    shutil.copytree(loaded, folder)
    with (folder / "keepwell.toml").open("a") as config:
        config.write(f"[web]\ntoday = {LAST}\nport = {port}\n")
    return folder


def spawned(folder: Path, *arguments: object, out: int = subprocess.PIPE) -> "subprocess.Popen[str]":
    command = [*PROGRAM, "-w", str(folder), *map(str, arguments)]
    return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, text=True, env=environment())


def in_site(folder: Path, code: str) -> str:
    """Run some lines where Django serves a workspace; returns what they print."""
    begin = (
        "from pathlib import Path\nfrom keepwell.interfaces.site import launch\n"
        f"launch.set_up(Path({str(folder)!r})); launch.prepare()\n"
        "from keepwell.interfaces.site import clock\nfrom keepwell.services.team.here import workspace\n"
        "from keepwell.services.team import jobs\nfrom keepwell.store.models import *\n"
    )
    ran = subprocess.run([sys.executable, "-c", begin + code], capture_output=True, text=True, env=environment())
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@contextmanager
def served(folder: Path, port: int, *options: object) -> Iterator["Browser"]:
    """Serve a workspace while the block runs; ended by SIGTERM, and in order."""
    log = folder / "serve.log"
    with log.open("w") as out:
        process = spawned(folder, "serve", *options, out=out.fileno())
        try:
            browser = Browser(f"http://127.0.0.1:{port}")
            browser.wait(process, log)
            yield browser
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=30)
    assert code == 0, log.read_text()


class Browser:
    """Cookies and forms."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> tuple[int, str]:
        """The status and the text of a page, after redirects."""
        return self._answer(path, None)

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        """Send a form, with the token of the page that shows it."""
        _, page = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None, page
        return self._answer(path, urlencode({"csrfmiddlewaretoken": token[1], **fields}).encode())

    def _answer(self, path: str, data: bytes | None) -> tuple[int, str]:
        address = path if path.startswith("http") else self.address + path
        try:
            with self._opener.open(address, data, timeout=30) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def wait(self, process: "subprocess.Popen[str]", log: Path) -> None:
        """Until the workspace answers."""
        for _ in range(300):
            assert process.poll() is None, log.read_text()
            try:
                if self.get("/healthz")[0] == 200 and "://" in log.read_text():
                    return
            except (URLError, ConnectionError):
                pass
            time.sleep(0.1)
        raise AssertionError(log.read_text())
