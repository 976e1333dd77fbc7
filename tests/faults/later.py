"""`python -m tests.faults.later SECONDS MODULE ARGS…`: runs a module with its process's clock moved on."""

import runpy
import sys
from datetime import UTC, datetime, timedelta

import time_machine


def main() -> None:
    """Become the module; its forked children keep the moved clock."""
    seconds, module = float(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds)):
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
