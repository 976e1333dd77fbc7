"""The endpoints of a customer's applications. A customer's token reaches that customer's things alone."""

import re
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from onboarding import completeness, selectors, services
from onboarding.api import serializers as io
from onboarding.entries import LONGEST
from onboarding.services import shared_identity
from portal.api.idempotency import once
from portal.api.schema import answers, etag
from portal.errors import Invalid, PreconditionRequired
from portal.models import Role, User
from portal.pages import keyset

VERSION = {"type": "string", "pattern": '^(W/)?"[0-9]{1,9}"$'}
IF_MATCH = OpenApiParameter(
    "If-Match",
    VERSION,
    OpenApiParameter.HEADER,
    required=True,
    description='The draft\'s ETag as last read, such as "3". A draft changed meanwhile answers 412.',
)
IF_MATCH_WELCOME = OpenApiParameter(
    "If-Match", VERSION, OpenApiParameter.HEADER, description="As elsewhere, but not required."
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{1,200}$"},
    OpenApiParameter.HEADER,
    description=(
        "A fresh key per intended request, 1 to 200 visible ASCII characters; "
        "a repeat with the same key gets the first answer."
    ),
)
STEP = OpenApiParameter("step", OpenApiTypes.STR, OpenApiParameter.PATH, enum=sorted(io.STEP_SERIALIZERS))
STEP_ANSWERS = PolymorphicProxySerializer(
    "StepAnswers", list(io.STEP_SERIALIZERS.values()), resource_type_field_name=None
)
#: What is typed so far: of any form, for nothing of it is checked yet.
STEP_ENTRIES = {
    "application/json": {
        "type": "object",
        "additionalProperties": {
            "anyOf": [
                {"type": "string", "maxLength": LONGEST},
                {"type": "integer"},
                {"type": "boolean"},
                {"type": "array", "items": {"type": "string"}},
                {"type": "null"},
            ]
        },
        "example": {"given_name": "An"},
    }
}
#: What may stand in the way of changing a draft.
DRAFT_CHANGES = ("not-found", "precondition-required", "stale-draft", "conflict")


class IsCustomer(BasePermission):
    """Customers only: staff work in their own pages, with their own permissions."""

    message = "This API is for customers."

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        return (
            isinstance(user, User) and user.is_authenticated and user.is_active and user.role == Role.CUSTOMER
        )


class CustomerView(APIView):
    """What the endpoints share: whose they are, and the version a change was made from."""

    permission_classes = [IsCustomer]

    @property
    def user(self) -> User:
        """The signed-in customer."""
        assert isinstance(self.request.user, User)
        return self.request.user

    def version(self) -> int:
        """The version named by If-Match. Raises PreconditionRequired or Invalid."""
        header = self.request.headers.get("If-Match")
        if header is None:
            raise PreconditionRequired("Send If-Match with the ETag of the application as you last read it.")
        found = re.fullmatch(r'(?:W/)?"([0-9]{1,9})"', header.strip())
        if not found:
            raise Invalid('If-Match must be an ETag this API gave, such as "3".')
        return int(found[1])

    def answer(self, application_id: UUID) -> Response:
        """The whole application with its ETag, as this customer may see it."""
        fresh = selectors.application_with_part(self.user, application_id)
        return Response(io.whole(fresh, self.user), headers={"ETag": fresh.etag})


class ApplicationsView(CustomerView):
    @extend_schema(
        operation_id="applications_list",
        summary="List my applications, newest first",
        parameters=[
            OpenApiParameter("cursor", OpenApiTypes.STR, description="From `next` of the page before.")
        ],
        responses=answers(200, io.ApplicationListSerializer),
    )
    def get(self, request: Request) -> Response:
        """25 at a time, without their steps. A cursor nobody gave shows the first page."""
        page = keyset(
            selectors.applications_of(self.user), after=request.query_params.get("cursor", ""), size=25
        )
        return Response({"results": [io.summary(row) for row in page.rows], "next": page.older or None})

    @extend_schema(
        operation_id="application_start",
        summary="Start an application, or get the open one",
        parameters=[IDEMPOTENCY_KEY, etag(201)],
        request=io.StartSerializer,
        responses=answers(201, io.ApplicationSerializer, "idempotency-key-reused", reads_body=True),
    )
    def post(self, request: Request) -> Response:
        """A customer has one open application of a kind; starting again gives the same one."""
        body = io.StartSerializer(data=request.data)
        body.is_valid(raise_exception=True)

        def work() -> tuple[int, Any]:
            application = services.application_start(actor=self.user, source="api", **body.validated_data)
            fresh = selectors.application_for_customer(self.user, application.pk)
            return 201, io.whole(fresh, self.user)

        response = once(request, "application.start", work)
        response["ETag"] = f'"{response.data["version"]}"'
        return response


class ApplicationView(CustomerView):
    @extend_schema(
        operation_id="application_read",
        summary="Read an application and what comes next",
        parameters=[etag()],
        responses=answers(200, io.ApplicationSerializer, "not-found"),
    )
    def get(self, request: Request, application_id: UUID) -> Response:
        """`next_action` says what the app does now; it needs no copy of our states."""
        return self.answer(application_id)

    @extend_schema(
        operation_id="application_withdraw",
        summary="Withdraw a draft",
        parameters=[etag()],
        request=None,
        responses=answers(200, io.ApplicationSerializer, "not-found", "illegal-move", "stale-row"),
    )
    def delete(self, request: Request, application_id: UUID) -> Response:
        """Once it is handed in, an application cannot be withdrawn."""
        services.application_withdraw(actor=self.user, application_id=application_id, source="api")
        return self.answer(application_id)


class StepView(CustomerView):
    @extend_schema(
        operation_id="application_step_save",
        summary="Save the answers of one step",
        parameters=[IF_MATCH, etag(), STEP],
        request=STEP_ANSWERS,
        responses=answers(200, io.ApplicationSerializer, *DRAFT_CHANGES, reads_body=True),
    )
    def put(
        self, request: Request, application_id: UUID, step: str, owner_id: UUID | None = None
    ) -> Response:
        """Send the whole step: what is left out is emptied. Nothing is kept unless all of it holds."""
        version = self.version()
        if not isinstance(request.data, dict):
            raise Invalid("Send the step's answers as a JSON object.")
        services.step_save(
            actor=self.user,
            application_id=application_id,
            step=step,
            owner_id=owner_id,
            answers=dict(request.data),
            source="api",
            application_version=version,
        )
        return self.answer(application_id)

    @extend_schema(
        operation_id="application_step_type",
        summary="Keep what was typed into one step so far",
        parameters=[IF_MATCH, etag(), STEP],
        request=STEP_ENTRIES,
        responses=answers(200, io.ApplicationSerializer, *DRAFT_CHANGES, reads_body=True),
    )
    def patch(
        self, request: Request, application_id: UUID, step: str, owner_id: UUID | None = None
    ) -> Response:
        """Half-filled and wrong entries are kept too, for the customer to go on with on any device.

        They come back as `entries` of the step and count nowhere until the whole step is saved. What is left out
        stays as it was typed before; an empty one is emptied.
        """
        version = self.version()
        if not isinstance(request.data, dict):
            raise Invalid("Send the step's entries as a JSON object.")
        services.step_entries_keep(
            actor=self.user,
            application_id=application_id,
            step=step,
            owner_id=owner_id,
            entries=dict(request.data),
            application_version=version,
        )
        return self.answer(application_id)


class AgreementsView(CustomerView):
    @extend_schema(
        operation_id="agreements_list",
        summary="The agreements in force, with their texts",
        responses=answers(200, io.AgreementSerializer(many=True)),
    )
    def get(self, request: Request) -> Response:
        """Show each text whole before it is accepted."""
        return Response(io.AgreementSerializer(completeness.agreements_in_force(), many=True).data)


class AcceptView(CustomerView):
    @extend_schema(
        operation_id="application_agreements_accept",
        summary="Accept the agreements in force",
        parameters=[IF_MATCH, etag()],
        request=io.AcceptancesSerializer,
        responses=answers(200, io.ApplicationSerializer, *DRAFT_CHANGES, reads_body=True),
    )
    def post(self, request: Request, application_id: UUID) -> Response:
        """Name every agreement with the hash of the text that was shown; all or nothing is kept."""
        version = self.version()
        body = io.AcceptancesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        accepted = {row["agreement"]: row["text_sha256"] for row in body.validated_data["accepted"]}
        services.agreements_accept(
            actor=self.user,
            application_id=application_id,
            accepted=accepted,
            source="api",
            application_version=version,
        )
        return self.answer(application_id)


class SubmitView(CustomerView):
    @extend_schema(
        operation_id="application_submit",
        summary="Hand the application in",
        parameters=[IF_MATCH_WELCOME, etag()],
        request=io.HandInSerializer,
        responses=answers(
            200,
            io.ApplicationSerializer,
            *("not-found", "invalid", "stale-draft", "conflict", "illegal-move"),
            reads_body=True,
        ),
    )
    def post(self, request: Request, application_id: UUID) -> Response:
        """Handing in twice is one submission. An incomplete application answers 422 with everything that is missing."""
        version = self.version() if "If-Match" in request.headers else None
        body = io.HandInSerializer(data=request.data or {})
        body.is_valid(raise_exception=True)
        services.application_submit(
            actor=self.user,
            application_id=application_id,
            source="api",
            application_version=version,
            share_token=body.validated_data.get("share_token", ""),
        )
        return self.answer(application_id)


class SharedIdentityView(CustomerView):
    @extend_schema(
        operation_id="application_shared_identity",
        summary="Have a shared identity check imported again",
        request=io.SharedIdentitySerializer,
        responses=answers(200, io.ApplicationSerializer, "not-found", "invalid", "conflict", reads_body=True),
    )
    def post(self, request: Request, application_id: UUID) -> Response:
        """With a fresh token, until the account is open: when the first was too old, or the application was held. One
        import at a time; a company or trust has none."""
        body = io.SharedIdentitySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        shared_identity.shared_identity_import_own(
            actor=self.user,
            application_id=application_id,
            share_token=body.validated_data["share_token"],
            source="api",
        )
        return self.answer(application_id)
