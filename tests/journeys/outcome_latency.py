"""How long a server takes to answer a logged outcome: `python -m tests.journeys.outcome_latency ADDRESS`.

At the address a demo is served (`make demo`, or `keepwell -w COPY_OF_A_DEMO serve --no-worker`); an admin logs outcomes
in it as a browser sends them.
"""

import os
import re
import sys
import time
from statistics import median
from typing import Final

import httpx

ADMIN: Final = "admin@demo.keepwell.example"
PASSWORD: Final = "keepwell-demo"  # noqa: S105 - of people who live in demos
TIMES: Final = 20
WARM: Final = 3
RESULTS: Final = ("resolved", "follow_up")
_TOKEN: Final = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_FIELD: Final = re.compile(r'<input type="hidden" name="(version|back)" value="([^"]*)"')


def main() -> int:
    """Measure, and print the median and the slowest."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with httpx.Client(base_url=sys.argv[1], timeout=30) as client:
        took = sorted(logged(client)[WARM:])
    times = f"median {1000 * median(took):.0f} ms, slowest {1000 * took[-1]:.0f} ms"
    print(f"{len(took)} outcomes: {times} (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)")
    return 0


def logged(client: httpx.Client) -> list[float]:
    """Sign in and log outcomes, always of the first task; returns the seconds of each answer."""
    page = client.get("/accounts/login/").text
    given = {"login": ADMIN, "password": PASSWORD, "csrfmiddlewaretoken": _found(_TOKEN, page)}
    assert client.post("/accounts/login/", data=given).status_code == 302, "this workspace has no demo sign-ins"
    return [_one(client, RESULTS[number % 2]) for number in range(WARM + TIMES)]


def _one(client: httpx.Client, result: str) -> float:
    task = _found(re.compile(r'data-task="(\d+)"'), client.get("/today").text)
    card = client.get(f"/tasks/{task}", headers={"HX-Request": "true", "HX-Target": "card"}).text
    form = card[card.index('id="outcome"') :].partition("</form>")[0]
    said = {
        **dict(_FIELD.findall(form)),
        "contact": "reached",
        "issue": "usage",
        "result": result,
        "note": "Talked it through.",
        "follow_up_on": _found(re.compile(r'name="follow_up_on"[^>]* value="([^"]+)"'), form),
    }
    headers = {"HX-Request": "true", "HX-Target": "today", "X-CSRFToken": _found(_TOKEN, form)}
    began = time.perf_counter()
    answer = client.post(f"/tasks/{task}/outcome", data=said, headers=headers)
    took = time.perf_counter() - began
    assert answer.status_code == 200, f"{answer.status_code}: {answer.text[-2000:]}"
    return took


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    assert found is not None, f"{pattern.pattern} is not in the page"
    return found[1]


if __name__ == "__main__":
    sys.exit(main())
