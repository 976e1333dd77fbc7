"""What pages show of an uploaded file: its first page, small, and the way to the whole."""

from typing import Any

from django import template
from django.urls import reverse

from onboarding import files
from onboarding.models import Document

register = template.Library()


@register.inclusion_tag("onboarding/_document_preview.html", takes_context=True)
def document_preview(context: template.Context, document: Document) -> dict[str, Any]:
    """A thumbnail of the customer's own file that leads to the download; in words while there is none.

    The document comes with its copies (papers_of).
    """
    user = context["request"].user
    pages = files.pages_of(document)

    def url(page: int) -> str:
        return reverse("api:file", args=[files.token(user, document, page)])

    return {
        "document": document,
        "preview": url(pages[0]) if pages else "",
        "original": url(files.ORIGINAL) if document.is_safe else "",
    }
