"""How well the classifier of tickets does on real ones: `python -m tests.measure_tickets [FILE] [ROWS]`.

FILE is a CSV with the columns Document and Topic_group; the sample of the tests when it is left out.
"""

import csv
import gzip
import sys
import time
from pathlib import Path
from typing import Final

from keepwell.services.team.support import learned

SAMPLE: Final = Path(__file__).parent / "data" / "tickets_it_service.csv.gz"
STEPS: Final = (0.5, 0.6, 0.7, 0.8, 0.9)


def rows_of(path: Path) -> list[dict[str, str]]:
    """The tickets of a file."""
    packed = path.suffix == ".gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") if packed else path.open(newline="") as file:
        return list(csv.DictReader(file))


def measure(rows: list[dict[str, str]]) -> None:
    """Learn from three quarters and print how the rest is judged, by how sure the classifier says it is."""
    texts, labels = [row["Document"] for row in rows], [row["Topic_group"] for row in rows]
    began = time.perf_counter()
    _, measured = learned.trained(texts, labels)
    took = time.perf_counter() - began
    right = [said == labels[place] for said, place in zip(measured.said, measured.places, strict=True)]
    common = max(labels.count(name) for name in set(labels)) / len(labels)
    print(f"{len(rows)} tickets, {len(set(labels))} categories, learned and measured in {took:.1f} s")
    print(f"right {sum(right) / len(right):.1%} of {len(right)} held out; always the commonest: {common:.1%}")
    for low in STEPS:
        those = [(ok, sure) for ok, sure in zip(right, measured.confidence, strict=True) if low <= sure < low + 0.1]
        if those:
            hits, said = sum(ok for ok, _ in those) / len(those), sum(sure for _, sure in those) / len(those)
            print(f"says {said:.0%} sure: right {hits:.0%} of {len(those)}")


if __name__ == "__main__":
    given = rows_of(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE)
    measure(given[: int(sys.argv[2])] if len(sys.argv) > 2 else given)
