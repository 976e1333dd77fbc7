"""Files of strangers as answers: kept nowhere on the way, taken for nothing else than they are, able to do nothing."""

from django.http import FileResponse

#: What is shown may be shown by our own pages and does nothing anywhere.
SANDBOX = "sandbox; default-src 'none'"


def safe(response: FileResponse, size: int) -> FileResponse:
    """The answer with the headers that hold it so."""
    response["Content-Length"] = str(size)
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SANDBOX
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
