"""The endpoints of what the provider's operations do by hand: restricted changes, and closing the account."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding import drafts, restricted, selectors
from onboarding.api import serializers as io
from onboarding.api.views import IDEMPOTENCY_KEY, CustomerView
from onboarding.models import ChangeRequest, ClosureRequest
from onboarding.services import closures as closure_services
from onboarding.services import restricted as services
from portal.api.idempotency import once
from portal.api.schema import answers
from portal.errors import NotFound


class ChangeRequestSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    field = serializers.ChoiceField(choices=ChangeRequest.Field.choices)
    owner = serializers.UUIDField(
        source="owner_id", allow_null=True, help_text="Whose; null for the account."
    )
    status = serializers.ChoiceField(choices=ChangeRequest.Status.choices)
    status_at = io.Moment()
    created_at = io.Moment()
    refused_because = serializers.CharField(help_text="What you are told about a refusal, else empty.")
    evidence = serializers.UUIDField(
        source="evidence_id",
        allow_null=True,
        help_text="Which of the document requests asks for the paper that proves it; null where none does.",
    )


class AskableSerializer(serializers.Serializer[Any]):
    field = serializers.ChoiceField(choices=ChangeRequest.Field.choices)
    owner = serializers.UUIDField(allow_null=True)
    answers = serializers.ListField(
        child=serializers.CharField(), help_text="The names of the answers to send."
    )


class ChangeRequestsSerializer(serializers.Serializer[Any]):
    why_not = serializers.ListField(child=serializers.CharField())
    askable = AskableSerializer(many=True)
    requests = ChangeRequestSerializer(many=True)


class AskSerializer(serializers.Serializer[Any]):
    field = serializers.ChoiceField(choices=ChangeRequest.Field.choices)
    owner = serializers.UUIDField(
        required=False, allow_null=True, help_text="Whose; left out for the applicant or the account."
    )
    answers = serializers.DictField(help_text="The field's answers by name, and `why`.")


class ChangeRequestsView(CustomerView):
    @extend_schema(
        operation_id="application_change_requests",
        summary="Restricted changes: what may be asked for, and what was",
        responses=answers(200, ChangeRequestsSerializer, "not-found"),
    )
    def get(self, request: Request, application_id: UUID) -> Response:
        application = selectors.application_for_customer(self.user, application_id)
        askable = [
            {
                "field": item.field,
                "owner": item.owner_id,
                "answers": [question.name for question in item.step.fields],
            }
            for item in restricted.askable(drafts.load(application))
        ]
        rows = ChangeRequest.objects.filter(account__application=application)
        data = {
            "why_not": services.why_not_ask(application),
            "askable": askable,
            "requests": rows.defer("before", "wanted", "why").order_by("-pk")[:25],
        }
        return Response(ChangeRequestsSerializer(data).data)

    @extend_schema(
        operation_id="application_change_request",
        summary="Ask for a change that only the provider's staff can make",
        description="A person looks at it and passes it on. Until the provider confirms, everything stays.",
        parameters=[IDEMPOTENCY_KEY],
        request=AskSerializer,
        responses=answers(
            202, ChangeRequestSerializer, "not-found", "conflict", "idempotency-key-reused", reads_body=True
        ),
    )
    def post(self, request: Request, application_id: UUID) -> Response:
        asked = AskSerializer(data=request.data)
        asked.is_valid(raise_exception=True)

        def work() -> tuple[int, Any]:
            made = services.restricted_request(
                actor=self.user,
                application_id=application_id,
                field=asked.validated_data["field"],
                owner_id=asked.validated_data.get("owner"),
                answers=asked.validated_data["answers"],
                source="api",
            )
            return 202, ChangeRequestSerializer(made).data

        return once(request, "application.change_request", work)


class ClosureSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=ClosureRequest.Status.choices)
    status_at = io.Moment()
    created_at = io.Moment()
    refused_because = serializers.CharField(help_text="What you are told about a refusal, else empty.")


class CloseSerializer(serializers.Serializer[Any]):
    understood = serializers.BooleanField(help_text="true: the customer was told what closing means.")


class ClosureView(CustomerView):
    @extend_schema(
        operation_id="application_closure",
        summary="How far the closing of the account is",
        responses=answers(200, ClosureSerializer, "not-found"),
    )
    def get(self, request: Request, application_id: UUID) -> Response:
        application = selectors.application_for_customer(self.user, application_id)
        found = ClosureRequest.objects.filter(account__application=application).order_by("-pk").first()
        if found is None:
            raise NotFound("Closing was not asked for.")
        return Response(ClosureSerializer(found).data)

    @extend_schema(
        operation_id="application_close",
        summary="Ask for the account to be closed",
        description="The provider closes it by hand. Closing cannot be undone; it can be withdrawn until passed on.",
        parameters=[IDEMPOTENCY_KEY],
        request=CloseSerializer,
        responses=answers(
            202, ClosureSerializer, "not-found", "conflict", "idempotency-key-reused", reads_body=True
        ),
    )
    def post(self, request: Request, application_id: UUID) -> Response:
        asked = CloseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)

        def work() -> tuple[int, Any]:
            made = closure_services.closure_request(
                actor=self.user,
                application_id=application_id,
                understood=asked.validated_data["understood"],
                source="api",
            )
            return 202, ClosureSerializer(made).data

        return once(request, "application.close", work)

    @extend_schema(
        operation_id="application_closure_withdraw",
        summary="Keep the account after all",
        request=None,
        responses=answers(200, ClosureSerializer, "not-found", "conflict"),
    )
    def delete(self, request: Request, application_id: UUID) -> Response:
        found = closure_services.closure_withdraw(
            actor=self.user, application_id=application_id, source="api"
        )
        return Response(ClosureSerializer(found).data)
