"""The files of a customer's own papers: links that run out, and what they lead to."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding import files
from onboarding.api import serializers as io
from onboarding.api.views import CustomerView
from onboarding.models import Document
from portal.api.schema import answers


class PageLinkSerializer(serializers.Serializer[Any]):
    page = serializers.IntegerField()
    url = serializers.URLField(help_text="A JPEG, upright, without anything that is not the picture.")


class FileLinksSerializer(serializers.Serializer[Any]):
    expires_at = io.Moment(help_text="When these links stop working. Ask for new ones then.")
    original = serializers.URLField(
        allow_null=True, help_text="The file as it was uploaded; null while it is checked or held back."
    )
    previews = PageLinkSerializer(many=True, help_text="The first pages; empty until the file is checked.")
    pages = serializers.IntegerField(help_text="How many pages the file has.")
    scan = serializers.ChoiceField(choices=Document.Scan.choices)


class DocumentLinksView(CustomerView):
    @extend_schema(
        operation_id="application_document_links",
        summary="Links to the file of one of my papers",
        responses=answers(200, FileLinksSerializer, "not-found"),
    )
    def get(self, request: Request, application_id: UUID, document_id: UUID) -> Response:
        """They work for five minutes, for the caller alone: send the same token, or come with the same session."""
        document = files.document_for_customer(self.user, application_id, document_id)
        links = {
            "expires_at": files.link_ends(),
            "original": self._url(document, files.ORIGINAL) if document.is_safe else None,
            "previews": [
                {"page": page, "url": self._url(document, page)} for page in files.pages_of(document)
            ],
            "pages": document.pages,
            "scan": document.scan,
        }
        return Response(FileLinksSerializer(links).data)

    def _url(self, document: Document, page: int) -> str:
        portal: str = settings.PORTAL_URL
        return portal + reverse("api:file", args=[files.token(self.user, document, page)])


class AnythingRenderer(JSONRenderer):
    """A file comes as it is, whatever the caller said it accepts; a problem as JSON."""

    media_type = "*/*"
    format = "file"


class FileView(CustomerView):
    renderer_classes = [AnythingRenderer]

    @extend_schema(
        operation_id="document_file",
        summary="The file that a link leads to",
        responses=answers(200, OpenApiTypes.BINARY, "not-found", "gone"),
    )
    def get(self, request: Request, token: str) -> HttpResponseBase:
        """Originals come as attachments. A link that has run out answers 410: ask for a new one."""
        return files.answer(files.opened(self.user, token, source="api"))
