"""Who may do what: the permission words by role, and what the queues narrow. For every member of staff."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from compliance.models import Queue
from compliance.permissions import NARROWED_ROLES
from portal.models import Role
from portal.permissions import TABLE, WORDS
from portal.staff import staff_page, user_of

ROLES = [role for role in Role if role != Role.CUSTOMER]


@require_GET
@staff_page
def matrix(request: HttpRequest) -> HttpResponse:
    """The table the portal itself asks, in plain words; nothing of it is personal."""
    mine = user_of(request).role
    queues = Queue.objects.order_by("name")
    return render(
        request,
        "compliance/roles.html",
        {
            "roles": [{"label": role.label, "is_mine": role == mine} for role in ROLES],
            "rows": [
                {"word": word, "text": text, "cells": [(role.label, word in TABLE[role]) for role in ROLES]}
                for word, text in sorted(WORDS.items())
            ],
            "queues": [
                {"queue": queue, "sees": _labels(queue.seen_by), "decides": _labels(queue.decided_by)}
                for queue in queues
            ],
            "narrowed": ", ".join(Role(role).label for role in NARROWED_ROLES),
            "mine": Role(mine).label,
        },
    )


def _labels(roles: list[str]) -> str:
    return ", ".join(Role(role).label for role in roles if role in Role.values)
