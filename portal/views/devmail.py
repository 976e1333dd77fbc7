"""The mails the portal wrote, shown in development, so that links can be followed without a mail server."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from portal.models import MailMessage

#: Recipients are under seal, so the filter opens each message: only the newest are looked through.
NEWEST = 200


class FilterForm(forms.Form):
    """Whose mails to show."""

    to = forms.CharField(label="Recipient", required=False)


def _development_only() -> None:
    if settings.ENVIRONMENT != "development":
        raise Http404


def mail_list(request: HttpRequest) -> HttpResponse:
    """The newest messages, newest first; `to` keeps those whose recipient contains it. 404 in production."""
    _development_only()
    wanted = request.GET.get("to", "").strip()
    shown = [_opened(row) for row in MailMessage.objects.order_by("-created_at", "-pk")[:NEWEST]]
    if wanted:
        shown = [message for message in shown if wanted.lower() in message["to"].lower()]
    context = {
        "shown": shown,
        "wanted": wanted,
        "newest": NEWEST,
        "filters": FilterForm(initial={"to": wanted}),
    }
    return render(request, "dev/mail_list.html", context)


def mail_message(request: HttpRequest, mail_id: UUID) -> HttpResponse:
    """One message with its links made clickable. 404 in production."""
    _development_only()
    message = _opened(get_object_or_404(MailMessage, pk=mail_id))
    return render(request, "dev/mail_message.html", {"message": message})


def _opened(row: MailMessage) -> dict[str, Any]:
    content = row.content.reveal()
    return {"row": row, "to": ", ".join(content["to"]), "from": content["from"], "text": content["text"]}
