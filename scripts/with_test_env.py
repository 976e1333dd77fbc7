"""Runs a command that reads the settings, with throw-away secrets and an address where no database listens.

Usage: with_test_env.py [--production | --database] command ...
--production makes up the rest of a production environment; --database starts a throw-away PostgreSQL.
"""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from portal.run.testenv import prepare

PRODUCTION = {
    "ENVIRONMENT": "production",
    "ALLOWED_HOSTS": "portal.example",
    "PORTAL_URL": "https://portal.example",
    "EMAIL_URL": "smtp+tls://user:password@mail.example:587",
    "BAKKT_CRYPTO_URL": "https://crypto.example",
    "BAKKT_CRYPTO_PASSWORD": "made-up",
    "BAKKT_PARTNER_URL": "https://partner.example",
    "BAKKT_PARTNER_CLIENT_SECRET": "made-up",
    "BROKER_URL": "redis://localhost:6379/0",
    "SANDBOX_URL": "",
}

if __name__ == "__main__":
    command = sys.argv[1:]
    option = command.pop(0) if command[0].startswith("--") else ""
    if option == "--production":
        os.environ.update(PRODUCTION)
    prepare(database=option == "--database")
    sys.exit(subprocess.run(command, check=False).returncode)
