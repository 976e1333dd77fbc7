"""The endpoint that says what can be traded where the customer lives."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding import availability, selectors
from onboarding.api import serializers as io
from onboarding.api.views import CustomerView
from portal.api.schema import answers


class CoinsSerializer(serializers.Serializer[Any]):
    open = serializers.ListField(child=serializers.CharField(), help_text="Bought and sold.")
    sell_only = serializers.ListField(child=serializers.CharField())
    prohibited = serializers.ListField(child=serializers.CharField())
    unclear = serializers.ListField(
        child=serializers.CharField(), help_text="The provider gave no known word."
    )


class AvailabilitySerializer(serializers.Serializer[Any]):
    place = serializers.CharField(help_text="State or country, in words.")
    checked_at = io.Moment(allow_null=True, help_text="Null: the provider could not be asked. Go on.")
    can_trade = serializers.BooleanField(
        allow_null=True, help_text="False: every coin is prohibited there. Null: not known."
    )
    words = serializers.ListField(
        child=serializers.CharField(), help_text="Sentences to show before handing in."
    )
    orders = CoinsSerializer()
    transfers = CoinsSerializer()


class AvailabilityView(CustomerView):
    @extend_schema(
        operation_id="application_availability",
        summary="What can be traded where the customer lives",
        responses=answers(200, AvailabilitySerializer, "not-found"),
    )
    def get(self, request: Request, application_id: UUID) -> Response:
        """Show it before handing in. It stops nobody: handing in is possible whatever it says."""
        application = selectors.application_for_customer(self.user, application_id)
        return Response(AvailabilitySerializer(availability.of(application)).data)
