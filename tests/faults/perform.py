"""A worker's part in a process of its own: `python -m tests.faults.perform CALL_ID`, to be killed on the way."""

import sys
from uuid import UUID

import django


def main() -> None:
    """Perform one outbound call."""
    django.setup()
    from portal import outbox

    outbox.perform(UUID(sys.argv[1]))


if __name__ == "__main__":
    main()
