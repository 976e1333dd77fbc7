"""The endpoints of papers: which are asked for and what is there, and the upload of one file."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding import papers, selectors
from onboarding.api import serializers as io
from onboarding.api.views import CustomerView
from onboarding.models import Document
from onboarding.services.documents import document_upload
from onboarding.words_documents import DocumentSide, DocumentType, Verdict
from portal.api.schema import answers


class DocumentSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    type = serializers.ChoiceField(choices=DocumentType.choices)
    side = serializers.ChoiceField(choices=DocumentSide.choices)
    owner = serializers.UUIDField(
        source="owner_id", allow_null=True, help_text="Whose it is; null for the company or trust itself."
    )
    status = serializers.ChoiceField(
        choices=Document.Status.choices, help_text="`refused` by the provider: upload another one."
    )
    country = serializers.CharField(help_text="Who issued it, ISO alpha-2.")
    expires_on = serializers.DateField(allow_null=True)
    content_type = serializers.ChoiceField(choices=Document.ContentType.choices)
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    created_at = io.Moment()
    verdict = serializers.ChoiceField(
        choices=Verdict.choices, allow_blank=True, help_text="Of our staff; empty while nobody has looked."
    )
    rejected_because = serializers.CharField(
        help_text="What you are told about `rejected`, else empty: upload this one again."
    )


class PaperSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(source="rule.name")
    title = serializers.CharField(source="rule.title")
    hint = serializers.CharField(source="rule.hint")
    owner = serializers.UUIDField(
        source="owner.pk", default=None, allow_null=True, help_text="Of whom; null for the entity itself."
    )
    types = serializers.ListField(
        source="rule.types",
        child=serializers.ChoiceField(choices=DocumentType.choices),
        help_text="Any one of these meets it.",
    )
    done = serializers.BooleanField(source="handed_in", help_text="Nothing of it is missing.")
    missing = serializers.CharField(source="lacks", help_text="What to do, in a sentence; empty when done.")
    request = serializers.UUIDField(
        source="request.pk",
        default=None,
        allow_null=True,
        help_text="The request it is asked for by, where there is one.",
    )
    documents = DocumentSerializer(source="files", many=True)


class PapersSerializer(serializers.Serializer[Any]):
    papers = PaperSerializer(many=True, help_text="Empty when none are needed.")


@extend_schema_field({"type": "string", "format": "binary"})
class BinaryField(serializers.FileField):
    """A file; what is wrong with one, an empty one too, is said by the service."""


class PaperMetadata(serializers.Serializer[Any]):
    """What is said of a file, in one request with it or before its pieces."""

    type = serializers.ChoiceField(choices=DocumentType.choices)
    side = serializers.ChoiceField(
        choices=DocumentSide.choices,
        default=DocumentSide.FRONT,
        help_text="Of cards: FRONT and BACK in two uploads, or UNSPECIFIED when one file shows both.",
    )
    owner = serializers.UUIDField(
        source="owner_id", required=False, help_text="Whose it is; left out for the entity's own."
    )
    country = serializers.RegexField(r"^[A-Z]{2}$", default="US", help_text="Who issued it, ISO alpha-2.")
    expires_on = serializers.DateField(
        required=False, help_text="Needed for passports, passport cards and driver's licences."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nothing is said that nobody reads."""
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such field."))
        return attrs


class PaperUpload(PaperMetadata):
    file = BinaryField(allow_empty_file=True, help_text="PDF, JPEG, PNG or HEIC, recognised by its bytes.")


class DocumentsView(CustomerView):
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="application_documents",
        summary="The papers an application asks for, and what is there",
        responses=answers(200, PapersSerializer, "not-found"),
    )
    def get(self, request: Request, application_id: UUID) -> Response:
        """A company or trust is checked only when all of them are there.

        An owner who took their part sees and uploads their own; the applicant sees of these whether they are there.
        """
        application = selectors.application_with_part(self.user, application_id)
        return Response(PapersSerializer({"papers": papers.papers_for(self.user, application)}).data)

    @extend_schema(
        operation_id="application_document_upload",
        summary="Upload one file",
        request={"multipart/form-data": PaperUpload},
        responses=answers(201, DocumentSerializer, "not-found", "conflict", "stale-row", reads_body=True),
    )
    def post(self, request: Request, application_id: UUID) -> Response:
        """One side of a paper. What was there of the same type and side is replaced, and kept for the record.

        Repeating an upload after a lost answer is harmless: the repeat replaces the first.
        """
        selectors.application_with_part(self.user, application_id)
        body = PaperUpload(data=request.data)
        body.is_valid(raise_exception=True)
        document = document_upload(
            actor=self.user, application_id=application_id, source="api", **body.validated_data
        )
        return Response(DocumentSerializer(document).data, status=201)
