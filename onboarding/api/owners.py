"""The endpoints of the other people of an account: adding, changing, removing them, and their steps."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding import selectors, services
from onboarding.api import serializers as io
from onboarding.api.views import (
    DRAFT_CHANGES,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    STEP,
    STEP_ANSWERS,
    STEP_ENTRIES,
    CustomerView,
    StepView,
)
from portal.api.idempotency import once
from portal.api.schema import answers, etag


class OwnerStepView(StepView):
    """The same for another person of the account."""

    @extend_schema(
        operation_id="application_owner_step_save",
        summary="Save the answers of one step about another person",
        parameters=[IF_MATCH, etag(), STEP],
        request=STEP_ANSWERS,
        responses=answers(200, io.ApplicationSerializer, *DRAFT_CHANGES, reads_body=True),
    )
    def put(
        self, request: Request, application_id: UUID, step: str, owner_id: UUID | None = None
    ) -> Response:
        """Send the whole step: what is left out is emptied. Nothing is kept unless all of it holds."""
        return super().put(request, application_id, step, owner_id)

    @extend_schema(
        operation_id="application_owner_step_type",
        summary="Keep what was typed into one step about another person so far",
        parameters=[IF_MATCH, etag(), STEP],
        request=STEP_ENTRIES,
        responses=answers(200, io.ApplicationSerializer, *DRAFT_CHANGES, reads_body=True),
    )
    def patch(
        self, request: Request, application_id: UUID, step: str, owner_id: UUID | None = None
    ) -> Response:
        """As for the applicant's own steps."""
        return super().patch(request, application_id, step, owner_id)


class OwnersView(CustomerView):
    @extend_schema(
        operation_id="application_owner_add",
        summary="Add a person to the account",
        parameters=[IF_MATCH, IDEMPOTENCY_KEY, etag(201)],
        request=io.PersonSerializer,
        responses=answers(
            201, io.ApplicationSerializer, *DRAFT_CHANGES, "idempotency-key-reused", reads_body=True
        ),
    )
    def post(self, request: Request, application_id: UUID) -> Response:
        """`roles` of the application says who can be added, and how many of each."""
        version = self.version()
        body = io.PersonSerializer(data=request.data)
        body.is_valid(raise_exception=True)

        def work() -> tuple[int, Any]:
            services.owner_add(
                actor=self.user,
                application_id=application_id,
                source="api",
                application_version=version,
                **body.validated_data,
            )
            return 201, io.whole(selectors.application_for_customer(self.user, application_id), self.user)

        response = once(request, "application.owner_add", work)
        response["ETag"] = f'"{response.data["version"]}"'
        return response


class OwnerView(CustomerView):
    @extend_schema(
        operation_id="application_owner_change",
        summary="Change a person's role, country, control or share",
        parameters=[IF_MATCH, etag()],
        request=io.PersonChangeSerializer,
        responses=answers(200, io.ApplicationSerializer, *DRAFT_CHANGES, reads_body=True),
    )
    def patch(self, request: Request, application_id: UUID, owner_id: UUID) -> Response:
        """What is left out stays. Answers that no longer fit show as steps that need attention."""
        version = self.version()
        body = io.PersonChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.owner_change(
            actor=self.user,
            application_id=application_id,
            owner_id=owner_id,
            changes=body.validated_data,
            source="api",
            application_version=version,
        )
        return self.answer(application_id)

    @extend_schema(
        operation_id="application_owner_remove",
        summary="Remove a person from the draft",
        parameters=[IF_MATCH, etag()],
        request=None,
        responses=answers(200, io.ApplicationSerializer, *DRAFT_CHANGES, "invalid"),
    )
    def delete(self, request: Request, application_id: UUID, owner_id: UUID) -> Response:
        """With everything that was answered about them. The applicant cannot be removed."""
        version = self.version()
        services.owner_remove(
            actor=self.user,
            application_id=application_id,
            owner_id=owner_id,
            source="api",
            application_version=version,
        )
        return self.answer(application_id)


class InvitationView(CustomerView):
    @extend_schema(
        operation_id="application_owner_invite",
        summary="Invite a person to fill in their own part",
        parameters=[IF_MATCH, etag()],
        request=io.InviteSerializer,
        responses=answers(200, io.ApplicationSerializer, *DRAFT_CHANGES, reads_body=True),
    )
    def post(self, request: Request, application_id: UUID, owner_id: UUID) -> Response:
        """We mail them a link that works for 7 days and once. A link sent before stops working."""
        version = self.version()
        body = io.InviteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.owner_invite(
            actor=self.user,
            application_id=application_id,
            owner_id=owner_id,
            source="api",
            application_version=version,
            **body.validated_data,
        )
        return self.answer(application_id)


class InvitationAcceptView(CustomerView):
    @extend_schema(
        operation_id="invitation_accept",
        summary="Take the part an invitation is for",
        request=io.InvitationTokenSerializer,
        responses=answers(200, io.ApplicationSerializer, "not-found", "conflict", reads_body=True),
    )
    def post(self, request: Request) -> Response:
        """The signed-in customer's verified e-mail address must be the one the letter went to.

        From then on the application answers with their part alone, which only they see and save.
        """
        body = io.InvitationTokenSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        owner = services.invitation_accept(actor=self.user, source="api", **body.validated_data)
        return self.answer(owner.application_id)


class PartsView(CustomerView):
    @extend_schema(
        operation_id="parts_list",
        summary="The parts I took in applications of others",
        responses=answers(200, io.PartSerializer(many=True)),
    )
    def get(self, request: Request) -> Response:
        """Read the application to see and fill in the part."""
        return Response(io.PartSerializer(selectors.parts_of(self.user)[:100], many=True).data)
