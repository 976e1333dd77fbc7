"""Typed readers of the environment that fail at start with one clear line."""

import os
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

#: Set by what prepares tests and checks (portal/run/testenv.py), for the processes they start too.
TEST_RUN = "PORTAL_TEST_RUN"


def read_dotenv(folder: Path) -> None:
    """Add what `folder`/.env sets and the environment does not; nothing in a test run.

    A developer's own settings must not decide what tests and checks find.
    """
    if not os.environ.get(TEST_RUN):
        environ.Env.read_env(folder / ".env")


def secret(env: environ.Env, name: str, *, required: bool = True) -> str:
    """The secret `name`, from the variable or from the file that `name`_FILE points to (container secrets).

    Raises ImproperlyConfigured naming the variable when a required one is missing; an optional one is then "".
    """
    path = env.str(f"{name}_FILE", default="")
    if path:
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE points to {path}, which cannot be read.") from error
    value: str = env.str(name, default="")
    if required and not value:
        raise ImproperlyConfigured(
            f"{name} is not set. Set it, or {name}_FILE, in the environment (.env.example says how to make one)."
        )
    return value
