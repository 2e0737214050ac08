"""Running the command line in tests, on a small world that is simulated and loaded once."""

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from keepwell.interfaces import cli
from keepwell.simulation import simulate_world

LAST = date(2026, 6, 30)
FIRST = date(2026, 6, 11)
MAIN = "from keepwell.interfaces.cli import main; main()"


@dataclass(frozen=True)
class Ran:
    """What a command printed and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def keepwell(*arguments: object) -> Ran:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.run([str(argument) for argument in arguments])
    return Ran(code, out.getvalue(), err.getvalue())


def spawn(*arguments: object) -> "subprocess.Popen[bytes]":
    """Start a command as a process of its own."""
    command = [sys.executable, "-c", MAIN, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def small_world(folder: Path) -> Path:
    """Files of 40 customers over 60 days."""
    return simulate_world(out=folder, customers=40, days=60, end=LAST, seed=5).out


def loaded_workspace(folder: Path, world: Path, pack: str) -> Path:
    """A workspace with the world loaded and nothing computed."""
    assert keepwell("init", folder, "--pack", pack).code == 0
    ran = keepwell("-w", folder, "load", world)
    assert ran.code == 0, ran.err
    return folder


def contents(folder: Path, patterns: Sequence[str] = ("snapshots/*", "models/*")) -> dict[str, bytes]:
    """Every published file and kept model, by name."""
    files = sorted(path for pattern in patterns for path in (folder / "data").glob(pattern))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
