"""`python -m portal.run.probe [path]`: whether the web process in this container answers (health check)."""

import os
import sys
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener


def main() -> int:
    """0 when the path (default /healthz) answers 200. The Host header is the portal's own: it is allowed."""
    path = sys.argv[1] if len(sys.argv) > 1 else "/healthz"
    host = urlsplit(os.environ.get("PORTAL_URL", "http://localhost:8000")).netloc
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}{path}"
    request = Request(address, headers={"Host": host})
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=5):
            return 0
    except OSError as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
