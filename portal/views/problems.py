"""The pages behind the `type` of the API's problem answers: public, one for each type, and a list of all."""

import re

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from portal.api.problems import GROUPS, PROBLEM_TYPES
from portal.errors import NotFound


@require_safe
def problem_types(request: HttpRequest) -> HttpResponse:
    """Every problem type, by group."""
    groups = [{"title": group.title, "types": group.types} for group in GROUPS]
    return render(request, "portal/problem_types.html", {"groups": groups})


@require_safe
def problem_type(request: HttpRequest, code: str) -> HttpResponse:
    """One problem type: what it means and what to do."""
    kind = PROBLEM_TYPES.get(code)
    if kind is None:
        raise NotFound("There is no such problem type. The list has them all: /docs/problems/")
    context = {"kind": kind, "means": _with_code(kind.means), "do": _with_code(kind.do)}
    return render(request, "portal/problem_type.html", context)


def _with_code(text: str) -> SafeString:
    """The text with what stands between backticks set as code."""
    parts = re.split(r"`([^`]*)`", text)
    return format_html_join(
        "",
        "{}",
        ((format_html("<code>{}</code>", part) if index % 2 else part,) for index, part in enumerate(parts)),
    )
