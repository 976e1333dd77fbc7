"""Makes .venv and installs the pinned requirements; runs on a bare Python 3.11, before anything is installed.

Usage: python3 scripts/bootstrap.py requirements.txt [requirements-dev.txt ...]
Returns in a moment, without a network, when the environment already holds these very pins. Uses uv if it is
there.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def main(files: list[str]) -> int:
    """Install each requirement file whose stamp does not match; 0 when all is there."""
    if sys.version_info < (3, 11):
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    missing = [name for name in files if not _is_installed(name)]
    if not missing:
        return 0
    started = time.monotonic()
    uv = _working_uv()
    if not _usable():
        print("Making the environment in .venv ...", flush=True)
        status = _make(uv)
        if status:
            return status
        missing = files
    for name in missing:
        status = _install(uv, name)
        if status:
            return status
        _stamp(name).write_text(_wanted(name))
    print(f"Installed in {time.monotonic() - started:.0f} s.", flush=True)
    return 0


def _wanted(name: str) -> str:
    """What the stamp says when this file is installed: its pins, and where (a moved .venv has old paths)."""
    return f"{hashlib.sha256((ROOT / name).read_bytes()).hexdigest()} {VENV}"


def _stamp(name: str) -> Path:
    return VENV / f"installed-{Path(name).stem}"


def _is_installed(name: str) -> bool:
    try:
        return PYTHON.exists() and _stamp(name).read_text() == _wanted(name)
    except OSError:
        return False


def _usable() -> bool:
    """Whether .venv works and was made here, not somewhere else and moved."""
    if not PYTHON.exists():
        return False
    if any(stamp.read_text().split(" ", 1)[1:] != [str(VENV)] for stamp in VENV.glob("installed-*")):
        return False
    probe = subprocess.run([str(PYTHON), "-c", ""], capture_output=True, check=False)
    return probe.returncode == 0


def _working_uv() -> str | None:
    """uv, if it is there and runs (a version manager's placeholder may not)."""
    uv = shutil.which("uv")
    if uv is None:
        return None
    probe = subprocess.run([uv, "--version"], capture_output=True, check=False)
    return uv if probe.returncode == 0 else None


def _make(uv: str | None) -> int:
    if VENV.exists():
        shutil.rmtree(VENV)
    if uv:
        return subprocess.run(
            [uv, "venv", "-q", "--python", sys.executable, str(VENV)], check=False
        ).returncode
    try:
        venv.create(VENV, with_pip=True)
    except subprocess.CalledProcessError:
        shutil.rmtree(VENV, ignore_errors=True)
        print(
            "This Python cannot make environments. On Debian: apt-get install python3-venv", file=sys.stderr
        )
        return 1
    return 0


def _install(uv: str | None, name: str) -> int:
    lines = (ROOT / name).read_text().splitlines()
    total = sum(1 for line in lines if "==" in line and not line.startswith((" ", "#")))
    print(f"Installing {total} packages from {name} ...", flush=True)
    if uv:
        quiet = [] if sys.stderr.isatty() else ["-q"]
        command = [uv, "pip", "install", *quiet, "-p", str(PYTHON), "--compile-bytecode", "--require-hashes"]
        return subprocess.run([*command, "-r", name], cwd=ROOT, check=False).returncode
    if subprocess.run([str(PYTHON), "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        subprocess.run([str(PYTHON), "-m", "ensurepip"], capture_output=True, check=True)
    flags = ["--disable-pip-version-check", "--no-input", "--require-hashes", "--progress-bar", "off"]
    process = subprocess.Popen(
        [str(PYTHON), "-m", "pip", "install", *flags, "-r", name],
        cwd=ROOT,
        env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return _follow(process, total)


def _follow(process: "subprocess.Popen[str]", total: int) -> int:
    """Turn pip's many lines into one that counts (on a terminal) or one in ten packages (in a log)."""
    seen, tail, started = 0, [""], time.monotonic()
    live = sys.stdout.isatty()
    assert process.stdout is not None
    for line in process.stdout:
        tail = [*tail[-14:], line.rstrip()]
        if line.startswith("Collecting "):
            seen += 1
            text = f"  {min(seen, total)} of {total}: {line.split()[1].partition('=')[0]}"
            if live:
                print(f"\r{text:<60}", end="", flush=True)
            elif seen % 10 == 0:
                print(text, flush=True)
        elif line.startswith("Installing collected"):
            text = f"  fetched in {time.monotonic() - started:.0f} s; writing {total} packages ..."
            print(f"\r{text:<60}" if live else text, flush=True)
    if process.wait():
        print("\nThe installation failed:\n  " + "\n  ".join(tail), file=sys.stderr)
    return process.returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
