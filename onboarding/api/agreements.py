"""The endpoints of agreements outside an application: what waits for the customer, accepting it, and the PDFs."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding.agreements import acceptance, certificate, selectors
from onboarding.agreements.scope import pending_for
from onboarding.api import serializers as io
from onboarding.api.views import CustomerView
from portal.api.schema import answers


class PendingAgreementSerializer(io.AgreementSerializer):
    again = serializers.BooleanField(help_text="Whether an earlier version was accepted.")
    references = serializers.ListField(
        child=serializers.CharField(), help_text="The applications it is about, by their reference."
    )
    also_for = serializers.ListField(
        child=serializers.CharField(), help_text="For whom the customer accepts it beside themselves."
    )


class AcceptedSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    agreement = serializers.UUIDField(source="agreement_id")
    owner = serializers.UUIDField(source="owner_id")
    text_sha256 = serializers.CharField()
    accepted_at = io.Moment()


class AcceptedListSerializer(serializers.Serializer[Any]):
    accepted = AcceptedSerializer(many=True)


class PdfRenderer(BaseRenderer):
    """A PDF as it is; a problem as JSON."""

    media_type = "application/pdf"
    format = "pdf"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        """The bytes of the answer."""
        return data if isinstance(data, bytes) else bytes(JSONRenderer().render(data))


class PendingView(CustomerView):
    @extend_schema(
        operation_id="agreements_pending",
        summary="The agreements that wait for me, with their texts",
        responses=answers(200, PendingAgreementSerializer(many=True)),
    )
    def get(self, request: Request) -> Response:
        """New versions, and agreements that came after the application was handed in. Show each text whole."""
        rows = [
            io.AgreementSerializer(item.agreement).data
            | {"again": item.again, "references": item.references, "also_for": item.others}
            for item in pending_for(self.user)
        ]
        return Response(rows)


class AcceptPendingView(CustomerView):
    @extend_schema(
        operation_id="agreements_accept",
        summary="Accept agreements that wait for me",
        request=io.AcceptancesSerializer,
        responses=answers(200, AcceptedListSerializer, reads_body=True),
    )
    def post(self, request: Request) -> Response:
        """Some or all of them, each with the hash of what was shown; all that is named is kept, or nothing.

        A repeat is harmless: what was accepted before is passed over.
        """
        body = io.AcceptancesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        accepted = {row["agreement"]: row["text_sha256"] for row in body.validated_data["accepted"]}
        rows = acceptance.agreements_accept_pending(actor=self.user, accepted=accepted, source="api")
        return Response(AcceptedListSerializer({"accepted": rows}).data)


class DocumentView(CustomerView):
    renderer_classes = [PdfRenderer]

    @extend_schema(
        operation_id="agreement_document",
        summary="The PDF of an agreement",
        responses=answers(200, OpenApiTypes.BINARY, "not-found"),
    )
    def get(self, request: Request, agreement_id: UUID) -> Response:
        """Of agreements whose `format` is pdf."""
        return Response(bytes(selectors.document_of(self.user, agreement_id).content))


class CertificateView(CustomerView):
    renderer_classes = [PdfRenderer]

    @extend_schema(
        operation_id="acceptance_certificate",
        summary="The certificate of one of my acceptances",
        responses=answers(200, OpenApiTypes.BINARY, "not-found"),
    )
    def get(self, request: Request, acceptance_id: UUID) -> Response:
        """A PDF that says who accepted what, when and from where."""
        found = acceptance.acceptance_for_customer(self.user, acceptance_id)
        return Response(certificate.certificate_pdf(found, actor=self.user, source="api"))
