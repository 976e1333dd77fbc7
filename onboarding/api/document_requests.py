"""The endpoints of document requests: what we asked for besides the papers of every account, and answering in words."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding import papers, selectors
from onboarding.api import serializers as io
from onboarding.api.documents import DocumentSerializer
from onboarding.api.views import IDEMPOTENCY_KEY, CustomerView
from onboarding.models import Application, DocumentRequest
from onboarding.services.question_answers import LONGEST_ANSWER, question_answer
from onboarding.words_documents import DocumentType
from portal.api.idempotency import once
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
        help_text="Upload any one of these, with this `owner`, to the application's `documents`. Empty for a question.",
    )
    in_words = serializers.BooleanField(
        help_text="true: `reason` is a question, and an answer in words to the request's `answer` meets it."
    )
    answered_at = io.Moment(allow_null=True)
    reason = serializers.CharField(help_text="Why we ask, or what; for the customer to read.")
    due_on = serializers.DateField()
    overdue = serializers.BooleanField(source="is_overdue")
    created_at = io.Moment()
    documents = DocumentSerializer(
        many=True, help_text="The present files it is about; `rejected_because` says why one is wanted again."
    )


class DocumentRequestsSerializer(serializers.Serializer[Any]):
    requests = DocumentRequestSerializer(many=True, help_text="Newest first; withdrawn ones are left out.")


class AnswerSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(
        max_length=LONGEST_ANSWER, help_text="In the customer's own words. Only our staff read it."
    )


class DocumentRequestsView(CustomerView):
    @extend_schema(
        operation_id="application_document_requests",
        summary="The papers we asked for, with what to upload by when",
        responses=answers(200, DocumentRequestsSerializer, "not-found"),
    )
    def get(self, request: Request, application_id: UUID) -> Response:
        """Upload as for any other paper: the request notices it and goes on by itself.

        An owner who took their part sees what is asked of them; the applicant sees of these how far they are.
        """
        application = selectors.application_with_part(self.user, application_id)
        is_applicant = application.customer.user_id == self.user.pk
        rows = (
            DocumentRequest.objects.filter(application=application)
            .exclude(status=DocumentRequest.Status.WITHDRAWN)
            .select_related("owner__user", "application__customer__user")
            .defer("note", "answer")
            .order_by("-pk")[:MOST]
        )
        found = [row for row in rows if is_applicant or row.uploader == self.user]
        return Response(DocumentRequestsSerializer({"requests": self._shown(application, found)}).data)

    def _shown(self, application: Application, rows: list[DocumentRequest]) -> list[DocumentRequest]:
        """With the files of each; of what another owner was asked, neither these nor the question."""
        files = papers.present(application)
        for row in rows:
            is_theirs = row.uploader == self.user
            row.documents = [file for file in files if is_theirs and papers.counts_for(row, file)]  # type: ignore[attr-defined]
            if row.in_words and not is_theirs:
                row.reason = ""
        return rows


class AnswerView(CustomerView):
    @extend_schema(
        operation_id="application_document_request_answer",
        summary="Answer a question in words",
        description="For a request with `in_words` that is `open`. It is `accepted` then: nothing more is asked.",
        parameters=[IDEMPOTENCY_KEY],
        request=AnswerSerializer,
        responses=answers(
            200, DocumentRequestSerializer, "not-found", "conflict", "idempotency-key-reused", reads_body=True
        ),
    )
    def post(self, request: Request, application_id: UUID, request_id: UUID) -> Response:
        given = AnswerSerializer(data=request.data)
        given.is_valid(raise_exception=True)

        def work() -> tuple[int, Any]:
            row = question_answer(
                actor=self.user,
                application_id=application_id,
                request_id=request_id,
                text=given.validated_data["text"],
                source="api",
            )
            row.documents = []  # type: ignore[attr-defined]
            return 200, DocumentRequestSerializer(row).data

        return once(request, "application.document_request_answer", work)
