"""Idempotency-Key for POSTs that create something: a repeat gets the first answer, another request is 409."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from portal.errors import Conflict, Invalid
from portal.models.idempotency import IdempotentRequest
from portal.models.users import User

#: 1 to 200 visible ASCII characters: what every header, log and column can carry.
KEY = re.compile(r"[\x21-\x7e]{1,200}")


class KeyReused(Conflict):
    """The key came with another request before."""

    code = "idempotency-key-reused"
    title = "Idempotency key used for another request"


def once(request: Request, operation: str, work: Callable[[], tuple[int, Any]]) -> Response:
    """Run `work` once per (user, operation, Idempotency-Key); repeat its answer afterwards.

    `work` gives (HTTP status, JSON body) and raises DomainError to refuse; a refusal is not remembered, so the
    corrected request may use the key again. The row, the work and the answer are one transaction: a request killed
    half-way leaves nothing, and two at once wait for each other on the unique key. Without the header the work
    just runs. Raises KeyReused (409) for another request and Invalid (422) for a key of another form.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        status, answer = work()
        return Response(answer, status=status)
    if not KEY.fullmatch(key):
        raise Invalid("Idempotency-Key must be 1 to 200 visible ASCII characters, such as a UUID.")
    user = request.user
    assert isinstance(user, User)
    # The raw body was read by the parser already; the parsed data is as good a digest and ignores white space. The
    # path belongs to it: the same person added to another application is another request.
    asked = json.dumps([request.path, request.data], sort_keys=True)
    digest = hashlib.sha256(asked.encode()).hexdigest()
    with transaction.atomic():
        IdempotentRequest.objects.bulk_create(
            [IdempotentRequest(user=user, operation=operation, key=key, body_digest=digest)],
            ignore_conflicts=True,
        )
        row = IdempotentRequest.objects.select_for_update().get(user=user, operation=operation, key=key)
        if row.body_digest != digest:
            raise KeyReused(
                "This Idempotency-Key came with a different request before. Use a new key for a new request."
            )
        if row.status_code is None:
            row.status_code, row.answer = work()
            row.save(update_fields=["status_code", "answer"])
    return Response(row.answer, status=row.status_code)
