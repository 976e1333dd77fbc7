"""The endpoints of an open account's details: what may be changed, asking for a change, and how far it is."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding import drafts, selectors, services
from onboarding.api import serializers as io
from onboarding.api.views import IDEMPOTENCY_KEY, STEP, STEP_ANSWERS, CustomerView
from onboarding.models import AccountUpdate
from onboarding.updates import changeable, shown_labels, updates_for
from portal.api.idempotency import once
from portal.api.schema import answers
from portal.errors import Invalid
from portal.sealed import Sealed


class UpdateSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=AccountUpdate.Status.choices)
    status_at = io.Moment()
    created_at = io.Moment()
    changes = serializers.ListField(
        source="labels", child=serializers.CharField(), help_text="The questions whose answers change."
    )


class DetailSerializer(serializers.Serializer[Any]):
    step = serializers.CharField()
    owner = serializers.UUIDField(
        allow_null=True, help_text="Whose details; null for the applicant or account."
    )
    answers = serializers.DictField(help_text="What is kept; sensitive answers come masked.")


class DetailsSerializer(serializers.Serializer[Any]):
    why_not = serializers.ListField(
        child=serializers.CharField(),
        help_text="Every reason why nothing can be changed now; empty when it can.",
    )
    details = DetailSerializer(many=True)
    updates = UpdateSerializer(many=True)


class DetailsView(CustomerView):
    @extend_schema(
        operation_id="application_details",
        summary="The details of an open account, and changes under way",
        responses=answers(200, DetailsSerializer, "not-found"),
    )
    def get(self, request: Request, application_id: UUID) -> Response:
        """Owners who took a part of their own see and change that part, the applicant everything else."""
        application = selectors.application_with_part(self.user, application_id)
        draft = drafts.load(application)
        part = draft.part_of(self.user)
        rows = [
            {
                "step": item.step.name,
                "owner": item.owner.pk if item.owner and not item.owner.is_applicant else None,
                "answers": {
                    name: str(value) if isinstance(value, Sealed) else value
                    for name, value in item.kept.items()
                },
            }
            for item in changeable(draft)
            if draft.shows_answers_of(item.owner, self.user)
        ]
        updates = updates_for(application, part).select_related("of_owner").order_by("-pk")[:25]
        data = {
            "why_not": services.why_not_update(application, part),
            "details": rows,
            "updates": [
                {
                    "id": row.pk,
                    "status": row.status,
                    "status_at": row.status_at,
                    "created_at": row.created_at,
                    "labels": shown_labels(row, part),
                }
                for row in updates.defer("changes", "comparison")
            ],
        }
        return Response(DetailsSerializer(data).data)


class DetailView(CustomerView):
    @extend_schema(
        operation_id="application_detail_change",
        summary="Ask for a change of one step of the details",
        description=(
            "The provider is sent the complete data set with this change. Until it has taken it, everything stays. "
            "A restricted field (birth date, tax number, account type) is refused: write to support."
        ),
        parameters=[IDEMPOTENCY_KEY, STEP],
        request=STEP_ANSWERS,
        responses=answers(
            202, UpdateSerializer, "not-found", "conflict", "idempotency-key-reused", reads_body=True
        ),
    )
    def post(
        self, request: Request, application_id: UUID, step: str, owner_id: UUID | None = None
    ) -> Response:
        if not isinstance(request.data, dict):
            raise Invalid("Send the step's answers as a JSON object.")

        def work() -> tuple[int, Any]:
            update = services.update_request(
                actor=self.user,
                application_id=application_id,
                step=step,
                owner_id=owner_id,
                answers=dict(request.data),
                source="api",
            )
            return 202, UpdateSerializer(update).data

        return once(request, "application.update", work)


class PersonDetailView(DetailView):
    """The same for another person of the account."""

    @extend_schema(
        operation_id="application_person_detail_change",
        summary="Ask for a change of one step of another person's details",
        parameters=[IDEMPOTENCY_KEY, STEP],
        request=STEP_ANSWERS,
        responses=answers(
            202, UpdateSerializer, "not-found", "conflict", "idempotency-key-reused", reads_body=True
        ),
    )
    def post(
        self, request: Request, application_id: UUID, step: str, owner_id: UUID | None = None
    ) -> Response:
        return super().post(request, application_id, step, owner_id)
