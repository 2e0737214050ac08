"""Screenshots of every page at 1440 and 390 pixels, light and dark: `python -m tests.journeys.screens FOLDER`."""

import os
import sys
from pathlib import Path

import pytest

TAKES = "test_pages.py::test_screenshots_are_taken"


def main() -> int:
    """Make a site, serve it, and leave the pictures in a folder."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    os.environ["KEEPWELL_SCREENSHOTS"] = str(Path(sys.argv[1]).absolute())
    return int(pytest.main(["-n", "0", f"{Path(__file__).parent}/{TAKES}"]))


if __name__ == "__main__":
    sys.exit(main())
