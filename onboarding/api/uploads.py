"""Files in pieces, over a connection that breaks: the endpoints of tus 1.0, and what became of an upload."""

from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding import selectors
from onboarding.api import serializers as io
from onboarding.api.documents import DocumentSerializer, PaperMetadata
from onboarding.api.views import CustomerView
from onboarding.models import Upload, UploadState
from onboarding.services.paper_answers import PaperAnswers
from onboarding.services.uploads import upload_append, upload_cancel, upload_of, upload_start
from portal import tus
from portal.api.errors import pointers
from portal.api.schema import FieldProblemSerializer, answers
from portal.errors import Invalid

HEADER: Final = "header"
COUNT = {"type": "integer", "minimum": 0}
TUS = OpenApiParameter(
    "Tus-Resumable",
    {"type": "string", "const": tus.VERSION},
    HEADER,
    required=True,
    description="The version of the protocol.",
)
LENGTH = OpenApiParameter(
    "Upload-Length", COUNT, HEADER, required=True, description="The file's size in bytes."
)
OFFSET = OpenApiParameter(
    "Upload-Offset", COUNT, HEADER, required=True, description="Where the body's first byte belongs."
)
METADATA = OpenApiParameter(
    "Upload-Metadata",
    OpenApiTypes.STR,
    HEADER,
    required=True,
    description=(
        "Pairs of a name and a value in Base64, set apart by commas: `type`, `side`, `owner`, `country` and "
        "`expires_on` as of an upload in one request. Values that do not hold are refused here, by field."
    ),
)


class UploadSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(
        choices=[(word.value, word.value) for word in UploadState],
        source="state",
        help_text="`taken`: it is `document` now. `refused`: `errors` says why; upload another file.",
    )
    offset = serializers.IntegerField(help_text="So many bytes are here.")
    size = serializers.IntegerField()
    document = DocumentSerializer(allow_null=True)
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]
    expires_at = io.Moment()

    @extend_schema_field(FieldProblemSerializer(many=True))
    def get_errors(self, upload: Upload) -> list[dict[str, str]]:
        """What is wrong with the whole file."""
        return pointers(upload.problems)


def started_upload(view: tus.TusView, upload: Upload, url: str) -> Response:
    """201 with the upload's address; bytes that came along are added (creation-with-upload)."""
    body, length = view.body() if view.request.content_type == tus.BYTES else (None, 0)
    if body is not None and length:
        upload = upload_append(
            actor=upload.user,
            application_id=upload.application_id,
            upload_id=upload.pk,
            offset=0,
            length=length,
            body=body,
        )
        refuse_refused(upload)
    return Response(status=201, headers={"Location": url} | headers_of(upload))


def headers_of(upload: Upload) -> dict[str, str]:
    """How far an upload is, as the protocol says it."""
    return tus.place(offset=upload.offset, size=upload.size, expires_at=upload.expires_at)


def refuse_refused(upload: Upload) -> None:
    """Raises Invalid for a file that came whole and was refused."""
    if upload.state is UploadState.REFUSED:
        raise Invalid("This file cannot be taken.", fields=upload.problems)


class UploadsView(tus.TusView, CustomerView):
    max_size = settings.DOCUMENT_MAX_BYTES

    @extend_schema(
        operation_id="application_upload_start",
        summary="Announce a file that is sent in pieces (tus 1.0)",
        parameters=[
            TUS,
            LENGTH,
            METADATA,
            OpenApiParameter("Location", OpenApiTypes.STR, HEADER, response=[201], required=True),
        ],
        request=None,
        responses=answers(
            201,
            None,
            "not-found",
            "conflict",
            "stale-row",
            "tus-version",
            "unavailable",
            reads_body=True,
        ),
    )
    def post(self, request: Request, application_id: UUID) -> Response:
        """The bytes go by PATCH to the address in `Location`. It lasts for 24 hours."""
        selectors.application_with_part(self.user, application_id)
        size = self.number("Upload-Length")
        said = PaperMetadata(data=self.metadata())
        said.is_valid(raise_exception=True)
        given = PaperAnswers(**said.validated_data)
        upload = upload_start(
            actor=self.user, application_id=application_id, size=size, given=given, source="api"
        )
        return started_upload(self, upload, reverse("api:upload", args=[application_id, upload.pk]))


class UploadView(tus.TusView, CustomerView):
    max_size = settings.DOCUMENT_MAX_BYTES

    def head(self, request: Request, application_id: UUID, upload_id: UUID) -> Response:
        """Where to go on."""
        upload = upload_of(actor=self.user, application_id=application_id, upload_id=upload_id)
        return Response(status=200, headers=headers_of(upload))

    @extend_schema(
        operation_id="application_upload_read",
        summary="What became of a file that is sent in pieces",
        responses=answers(200, UploadSerializer, "not-found", "gone"),
    )
    def get(self, request: Request, application_id: UUID, upload_id: UUID) -> Response:
        """To be asked when the answer to the last PATCH was lost. HEAD says the offset alone, as tus has it."""
        upload = upload_of(actor=self.user, application_id=application_id, upload_id=upload_id)
        return Response(UploadSerializer(upload).data)

    @extend_schema(
        operation_id="application_upload_append",
        summary="Send the next bytes (tus 1.0)",
        parameters=[
            TUS,
            OFFSET,
            OpenApiParameter("Upload-Offset", COUNT, HEADER, response=[204], required=True),
        ],
        request={tus.BYTES: OpenApiTypes.BINARY},
        responses=answers(
            204,
            None,
            "not-found",
            "gone",
            "conflict",
            "stale-row",
            "tus-version",
            "unavailable",
            reads_body=True,
        ),
    )
    def patch(self, request: Request, application_id: UUID, upload_id: UUID) -> Response:
        """With the last byte the file is checked: 204 and it is here, or 422 with what is wrong with it.

        409 says where the upload ends; go on from there. Nothing is sent twice: what of a broken request came is
        kept.
        """
        body, length = self.body()
        upload = upload_append(
            actor=self.user,
            application_id=application_id,
            upload_id=upload_id,
            offset=self.number("Upload-Offset"),
            length=length,
            body=body,
        )
        refuse_refused(upload)
        return Response(status=204, headers=headers_of(upload))

    @extend_schema(
        operation_id="application_upload_cancel",
        summary="Give up a file that is sent in pieces (tus 1.0)",
        parameters=[TUS],
        responses=answers(204, None, "not-found", "gone", "conflict", "tus-version", "unavailable"),
    )
    def delete(self, request: Request, application_id: UUID, upload_id: UUID) -> Response:
        """What came of it is removed. A file that was taken stays: 409."""
        upload_cancel(actor=self.user, application_id=application_id, upload_id=upload_id)
        return Response(status=204)
