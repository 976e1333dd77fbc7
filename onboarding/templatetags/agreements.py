"""What pages say of agreements: their text, and what waits to be accepted."""

from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from onboarding.agreements.scope import pending_for
from onboarding.agreements.text import text_html
from onboarding.models import Agreement
from portal.models import User

register = template.Library()


@register.filter
def agreement_html(agreement: Agreement) -> SafeString:
    """The text as customers read it."""
    return mark_safe(text_html(agreement.text))  # noqa: S308  (text_html escapes whatever is not Markdown)


@register.inclusion_tag("onboarding/agreements/_waiting.html")
def agreements_waiting(user: User) -> dict[str, Any]:
    """The customer's notice of what must be accepted, and the way to what was."""
    return {"pending": pending_for(user)}
