"""The endpoints of wires: where to send one, and where one may go."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from funding import instructions, selectors, services
from funding import permissions as mine
from funding.api import serializers as io
from funding.models import WireRecipient
from onboarding.api.views import IDEMPOTENCY_KEY, CustomerView
from portal.api.idempotency import once
from portal.api.schema import answers
from portal.errors import NotFound


class WireInstructionsView(CustomerView):
    @extend_schema(
        operation_id="wire_instructions",
        summary="Where to send a wire, as of now",
        responses=answers(
            200, io.WireInstructionsSerializer, "not-found", "transfer-refused", "provider-away"
        ),
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """Asked of the provider each time: the details may change. Show them, and keep them nowhere."""
        account = mine.account_for(self.user, account_id)
        found = instructions.wire_instructions(self.user, account)
        names = (
            "reference", "routing_number", "account_number", "swift_code", "bank_name", "bank_address",
            "beneficiary_name", "beneficiary_address",
        )  # fmt: skip
        data = {name: getattr(found, name) for name in names} | {"rules": list(instructions.RULES)}
        return Response(data, headers={"Cache-Control": "no-store"})


class WireRecipientsView(CustomerView):
    @extend_schema(
        operation_id="wire_recipients_list",
        summary="The bank accounts to which wires may go",
        responses=answers(200, io.WireRecipientSerializer(many=True), "not-found"),
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """Their numbers are masked."""
        account = mine.account_for(self.user, account_id)
        return Response([io.recipient_data(row) for row in selectors.recipients_of(account)])

    @extend_schema(
        operation_id="wire_recipient_add",
        summary="Keep a bank account of the customer's own for wires",
        parameters=[IDEMPOTENCY_KEY],
        request=io.WireRecipientRequestSerializer,
        responses=answers(
            201, io.WireRecipientSerializer, "not-found", "idempotency-key-reused", reads_body=True
        ),
    )
    def post(self, request: Request, account_id: UUID) -> Response:
        """Wires to other people's accounts are sent back. To change one, remove it and add another."""
        account = mine.account_for(self.user, account_id)
        body = io.WireRecipientRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)

        def work() -> tuple[int, Any]:
            made = services.wire_recipient_add(actor=self.user, account_id=account.pk, **body.validated_data)
            made.refresh_from_db()
            return 201, io.recipient_data(made)

        return once(request, "wire_recipient.add", work)


class WireRecipientView(CustomerView):
    @extend_schema(
        operation_id="wire_recipient_read",
        summary="One bank account for wires, masked",
        responses=answers(200, io.WireRecipientSerializer, "not-found"),
    )
    def get(self, request: Request, account_id: UUID, recipient_id: UUID) -> Response:
        """Its numbers never come back whole."""
        return Response(io.recipient_data(self.found(account_id, recipient_id)))

    @extend_schema(
        operation_id="wire_recipient_remove",
        summary="Offer a bank account for wires no more",
        request=None,
        responses=answers(200, io.WireRecipientSerializer, "not-found"),
    )
    def delete(self, request: Request, account_id: UUID, recipient_id: UUID) -> Response:
        """Transfers under way to it go on."""
        row = self.found(account_id, recipient_id)
        services.wire_recipient_remove(actor=self.user, recipient_id=row.pk)
        return Response(io.recipient_data(row))

    def found(self, account_id: UUID, recipient_id: UUID) -> WireRecipient:
        """The account's recipient. Raises NotFound."""
        account = mine.account_for(self.user, account_id)
        row = selectors.recipients_of(account).filter(pk=recipient_id).first()
        if row is None:
            raise NotFound("There is no such bank account.")
        return row
