"""Tests and checks see the same settings on every machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
NAMES = ("PARTNER_NAME", "EMAIL_URL", "PORTAL_TEST_RUN")
READ = "import portal.settings as read; print(read.PARTNER_NAME, read.EMAIL_URL)"
PREPARE = "from portal.run.testenv import prepare; prepare(database=False);"


@pytest.mark.parametrize(
    ("first", "said"), [("", "Mine smtp://mine.example"), (PREPARE, "Partner Portal ")], ids=["run", "test"]
)
def test_a_developers_env_file_stays_out_of_test_runs(tmp_path: Path, first: str, said: str) -> None:
    shutil.copytree(PROJECT / "portal", tmp_path / "portal", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".env").write_text("PARTNER_NAME=Mine\nEMAIL_URL=smtp://mine.example\n")
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [sys.executable, "-c", first + READ],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{said}\n"
