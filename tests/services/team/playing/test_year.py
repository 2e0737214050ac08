"""The simulated year in small: the program that lives through it finds no broken rule."""

import subprocess
import sys

import pytest

from tests.services.team.playing.test_killed import ROOT


@pytest.mark.long
def test_six_weeks_of_a_small_company_keep_all_rules() -> None:
    program = [sys.executable, "-m", "tests.simulated_year", "--customers", "60", "--days", "42"]
    ended = subprocess.run(
        [*program, "--packs", "agency-signals"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=900
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "all rules hold" in ended.stdout
