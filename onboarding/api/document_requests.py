"""The endpoint of document requests: what we asked for besides the papers every account is asked for."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding import papers, selectors
from onboarding.api import serializers as io
from onboarding.api.documents import DocumentSerializer
from onboarding.api.views import CustomerView
from onboarding.models import DocumentRequest
from onboarding.words_documents import DocumentType
from portal.api.schema import answers

MOST = 100


class DocumentRequestSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(
        choices=DocumentRequest.Status.choices,
        help_text="`open`: upload it. `handed_in`: we look at it; it goes back to `open` when we cannot accept it.",
    )
    status_at = io.Moment()
    because = serializers.ChoiceField(source="source", choices=DocumentRequest.Source.choices)
    owner = serializers.UUIDField(
        source="owner_id", allow_null=True, help_text="Whose; null for the company or trust itself."
    )
    types = serializers.ListField(
        child=serializers.ChoiceField(choices=DocumentType.choices),
        help_text="Upload any one of these, with this `owner`, to the application's `documents`.",
    )
    reason = serializers.CharField(help_text="Why we ask, for the customer to read.")
    due_on = serializers.DateField()
    overdue = serializers.BooleanField(source="is_overdue")
    created_at = io.Moment()
    documents = DocumentSerializer(
        many=True, help_text="The present files it is about; `rejected_because` says why one is wanted again."
    )


class DocumentRequestsSerializer(serializers.Serializer[Any]):
    requests = DocumentRequestSerializer(many=True, help_text="Newest first; withdrawn ones are left out.")


class DocumentRequestsView(CustomerView):
    @extend_schema(
        operation_id="application_document_requests",
        summary="The papers we asked for, with what to upload by when",
        responses=answers(200, DocumentRequestsSerializer, "not-found"),
    )
    def get(self, request: Request, application_id: UUID) -> Response:
        """Upload as for any other paper: the request notices it and goes on by itself."""
        application = selectors.application_for_customer(self.user, application_id)
        rows = list(
            DocumentRequest.objects.filter(application=application)
            .exclude(status=DocumentRequest.Status.WITHDRAWN)
            .defer("note")
            .order_by("-pk")[:MOST]
        )
        files = papers.present(application)
        for row in rows:
            row.documents = [file for file in files if papers.counts_for(row, file)]  # type: ignore[attr-defined]
        return Response(DocumentRequestsSerializer({"requests": rows}).data)
