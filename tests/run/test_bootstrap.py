"""The installer's decisions, seen from outside: a copy of the script in a checkout with nothing to fetch."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "a checkout"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(PROJECT / "scripts" / "bootstrap.py", root / "scripts")
    (root / "requirements.txt").write_text("# nothing is needed\n")
    return root


def bootstrap(checkout: Path, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    """Run it with this Python, without uv and without a network worth the name."""
    return subprocess.run(
        [sys.executable, "scripts/bootstrap.py", "requirements.txt"],
        cwd=checkout,
        env={"PATH": path, "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_installs_once_and_again_only_when_the_pins_change(checkout: Path) -> None:
    first = bootstrap(checkout)
    assert first.returncode == 0, first.stderr
    assert "Making the environment" in first.stdout
    assert (checkout / ".venv" / "bin" / "python").exists()
    assert bootstrap(checkout).stdout == ""
    (checkout / "requirements.txt").write_text("# still nothing\n")
    changed = bootstrap(checkout)
    assert "Installing 0 packages" in changed.stdout
    assert "Making the environment" not in changed.stdout


def test_a_failure_shows_pips_own_words_and_leaves_no_stamp(checkout: Path) -> None:
    (checkout / "requirements.txt").write_text("no-such-package==1.0 --hash=sha256:" + "0" * 64 + "\n")
    done = bootstrap(checkout)
    assert done.returncode != 0
    assert "no-such-package" in done.stderr
    assert not list((checkout / ".venv").glob("installed-*"))


def test_an_environment_from_elsewhere_is_made_anew(checkout: Path) -> None:
    assert bootstrap(checkout).returncode == 0
    moved = checkout.parent / "moved"
    checkout.rename(moved)
    done = bootstrap(moved)
    assert done.returncode == 0, done.stderr
    assert "Making the environment" in done.stdout
