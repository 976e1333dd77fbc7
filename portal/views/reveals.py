"""Revealing one masked value: the page that asks why, and hiding it again."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from portal import permissions, revealing
from portal.errors import Conflict, Invalid
from portal.staff import staff_page, user_of


class RevealForm(forms.Form):
    """Why the value is needed."""

    reason = forms.CharField(
        label="What you need it for",
        max_length=revealing.LONGEST_REASON,
        min_length=revealing.SHORTEST_REASON,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Kept in the audit trail, and read by a compliance manager. No personal data.",
        error_messages={"required": "Say why, in a few words.", "min_length": "Say why, in a few words."},
    )


@require_http_methods(["GET", "POST"])
@staff_page
def reveal(request: HttpRequest, name: str, row_id: UUID) -> HttpResponse:
    """Ask why; with a reason, back to the page the reader came from, which shows the value for a while."""
    actor = user_of(request)
    field = revealing.field(name)
    permissions.require(actor, field.permission)
    holder = revealing.holder(name, row_id)
    back = _back(request, holder.url)
    if request.method == "GET" and revealing.is_shown(actor, name, row_id):
        return redirect(back)
    form = RevealForm(request.POST if request.method == "POST" else None)
    problem = _limit(revealing.next_possible(actor)) if request.method == "GET" else ""
    if form.is_bound and form.is_valid():
        try:
            revealing.reveal_grant(actor=actor, name=name, row_id=row_id, reason=form.cleaned_data["reason"])
        except Invalid as error:
            form.add_error("reason", error.fields.get("reason", [error.message]))
        except Conflict as error:
            problem = error.message
        else:
            return redirect(back)
    context = {
        "form": form,
        "field": field,
        "holder": holder,
        "back": back,
        "problem": problem,
        "minutes": settings.REVEAL_MINUTES,
        "nav_section": "applications",
    }
    status = 409 if problem and form.is_bound else 422 if form.errors else 200
    return render(request, "portal/reveal.html", context, status=status)


@require_POST
@staff_page
def hide(request: HttpRequest, name: str, row_id: UUID) -> HttpResponse:
    """Mask the value again before its time."""
    revealing.reveal_end(actor=user_of(request), name=name, row_id=row_id)
    messages.success(request, "Hidden again.")
    return redirect(_back(request, revealing.holder(name, row_id).url))


def _limit(again: Any) -> str:
    if again is None:
        return ""
    return (
        f"You have revealed {settings.REVEALS_PER_HOUR} values within an hour. "
        f"The next is possible at {timezone.localtime(again):%H:%M}."
    )


def _back(request: HttpRequest, otherwise: str) -> str:
    """Where the reader came from, if that is a page of ours."""
    wanted = request.POST.get("next", "") or request.GET.get("next", "")
    ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if ours else otherwise or "/"
