"""A worker's part in a process of its own, to be killed on the way.

`python -m tests.faults.perform CALL_ID` performs an outbound call; with a function's dotted path it calls that.
"""

import sys
from uuid import UUID

import django
from django.utils.module_loading import import_string


def main() -> None:
    """Do the one thing."""
    django.setup()
    from portal import outbox

    what = sys.argv[1]
    if "." in what:
        import_string(what)()
    else:
        outbox.perform(UUID(what))


if __name__ == "__main__":
    main()
