"""`python -m portal.run` starts the product on this machine; `--reset` removes its development data first."""

import argparse
import os
import sys
from pathlib import Path

from portal.env import read_dotenv
from portal.run.embedded import EmbeddedError
from portal.run.launcher import CannotStart, Launcher, reset

ROOT = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    """Run until stopped; 1 with one clear message when it cannot start."""
    parser = argparse.ArgumentParser(prog="make run")
    parser.add_argument("--reset", action="store_true", help="only remove var/ and the embedded database")
    read_dotenv(ROOT)
    try:
        if parser.parse_args().reset:
            reset(ROOT)
            return 0
        return Launcher(ROOT, os.environ).run()
    except (CannotStart, EmbeddedError, PermissionError) as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
