"""The endpoints of transfers: their terms, asking for one, following it, taking it back."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from funding import authorising, downloads, selectors, services
from funding import permissions as mine
from funding.api import serializers as io
from funding.forms import ActivityForm
from funding.models import Transfer, WireRecipient
from funding.services.transfers import authorisation_text
from funding.terms import Order, terms
from onboarding.api.agreements import PdfRenderer
from onboarding.api.views import CustomerView
from onboarding.models import ProviderAccount
from portal.api.idempotency import once
from portal.api.schema import answers
from portal.auth.factors import shown_lately
from portal.auth.tokens import session_of
from portal.errors import Invalid, NotFound
from portal.pages import keyset

KEY_NEEDED = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[!-~]{1,200}$"},
    OpenApiParameter.HEADER,
    required=True,
    description=(
        "A fresh key per intended transfer, 1 to 200 visible ASCII characters, kept until there is an answer; "
        "a repeat with the same key gets the first answer and moves nothing twice."
    ),
)
FILTERS = [
    OpenApiParameter("cursor", OpenApiTypes.STR, description="From `next` of the page before."),
    OpenApiParameter("kind", OpenApiTypes.STR, description=", ".join(Transfer.Kind.values)),
    OpenApiParameter("direction", OpenApiTypes.STR, description=", ".join(Transfer.Direction.values)),
    OpenApiParameter("status", OpenApiTypes.STR, description=", ".join(Transfer.Status.values)),
    OpenApiParameter("since", OpenApiTypes.STR, description="The first day, such as 2026-11-01."),
    OpenApiParameter("until", OpenApiTypes.STR, description="The last day."),
]


def _recipient(account: ProviderAccount, recipient_id: UUID | None) -> WireRecipient | None:
    found = selectors.recipients_of(account).filter(pk=recipient_id).first() if recipient_id else None
    if recipient_id and found is None:
        raise Invalid(
            "Choose one of the account's wire recipients.",
            fields={"wire_recipient": ["There is no such wire recipient."]},
        )
    return found


class QuoteView(CustomerView):
    @extend_schema(
        operation_id="transfer_quote",
        summary="The terms of a transfer, before it is asked for",
        request=io.OrderSerializer,
        responses=answers(200, io.QuoteSerializer, "not-found", reads_body=True),
    )
    def post(self, request: Request, account_id: UUID) -> Response:
        """Every reason against it at once, its days, and the authorisation to show. Nothing is kept."""
        account = mine.account_for(self.user, account_id)
        body = io.OrderSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        recipient = _recipient(account, asked.get("wire_recipient"))
        found = terms(
            self.user, account, Order(asked["direction"], asked["rail"], asked["amount"], recipient)
        )
        text = authorisation_text(account, found)
        needed = found.second_factor and not shown_lately(session_of(request))
        data = io.quote_data(found, text, authorising.digest(text), second_factor_needed=needed)
        return Response(io.QuoteSerializer(data).data)


class TransfersView(CustomerView):
    @extend_schema(
        operation_id="transfers_list",
        summary="The movements of an account, newest first",
        parameters=FILTERS,
        responses=answers(200, io.TransferListSerializer, "not-found"),
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """25 at a time, with what the provider booked by itself. A filter that nobody knows filters nothing."""
        account = mine.account_for(self.user, account_id)
        wanted = ActivityForm(request.query_params).chosen()
        page = keyset(
            selectors.activity(account, wanted), after=request.query_params.get("cursor", ""), size=25
        )
        return Response({"results": [io.transfer_data(row) for row in page.rows], "next": page.older or None})

    @extend_schema(
        operation_id="transfer_request",
        summary="Ask for a transfer",
        parameters=[KEY_NEEDED],
        request=io.TransferRequestSerializer,
        responses=answers(
            201,
            io.TransferSerializer,
            "not-found",
            "transfer-refused",
            "second-factor-needed",
            "idempotency-key-reused",
            reads_body=True,
        ),
    )
    def post(self, request: Request, account_id: UUID) -> Response:
        """Send the hash of the authorisation that the person accepted. Asked for is not done: follow `next_action`."""
        account = mine.account_for(self.user, account_id)
        if "Idempotency-Key" not in request.headers:
            raise Invalid("Send the header Idempotency-Key, with a fresh key for each intended transfer.")
        body = io.TransferRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data

        def work() -> tuple[int, Any]:
            recipient = _recipient(account, asked.get("wire_recipient"))
            try:
                made = services.transfer_request(
                    actor=self.user,
                    account_id=account.pk,
                    direction=asked["direction"],
                    rail=asked["rail"],
                    amount=asked["amount"],
                    source="api",
                    accepted=services.Accepted(
                        text_sha256=asked.get("authorisation_sha256", ""),
                        second_factor=shown_lately(session_of(request)),
                    ),
                    recipient_id=recipient.pk if recipient else None,
                )
            except Invalid as error:
                if "accepted" not in error.fields:
                    raise
                raise Invalid(
                    "Show the authorisation of a new quote and send the hash of what was accepted.",
                    fields={"authorisation_sha256": ["This is not the authorisation as it reads now."]},
                ) from None
            return 201, io.transfer_data(selectors.transfer_for(self.user, made.pk))

        return once(request, "transfer.request", work)


class TransferView(CustomerView):
    @extend_schema(
        operation_id="transfer_read",
        summary="One movement, and what comes next",
        responses=answers(200, io.TransferSerializer, "not-found"),
    )
    def get(self, request: Request, account_id: UUID, transfer_id: UUID) -> Response:
        """`next_action` says what the app does now, `ball` who has it."""
        return Response(io.transfer_data(self.found(account_id, transfer_id)))

    def found(self, account_id: UUID, transfer_id: UUID) -> Transfer:
        """The account's transfer. Raises NotFound."""
        row = selectors.transfer_for(self.user, transfer_id)
        if row.account_id != account_id:
            raise NotFound("There is no such transfer.")
        return row


class ReceiptView(TransferView):
    renderer_classes: list[type[BaseRenderer]] = [PdfRenderer]
    http_method_names = ["get", "options"]

    @extend_schema(
        operation_id="transfer_receipt",
        summary="The receipt of a movement as a PDF",
        responses=answers(200, OpenApiTypes.BINARY, "not-found"),
    )
    def get(  # type: ignore[override]
        self, request: Request, account_id: UUID, transfer_id: UUID
    ) -> HttpResponseBase:
        """As it reads now: its status is that of this moment."""
        return downloads.receipt(self.found(account_id, transfer_id), actor=self.user, source="api")


class TransferCancelView(TransferView):
    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="transfer_cancel",
        summary="Take back a transfer that was not sent yet",
        request=None,
        responses=answers(200, io.TransferSerializer, "not-found", "conflict"),
    )
    def post(self, request: Request, account_id: UUID, transfer_id: UUID) -> Response:
        """Possible while `may_cancel` says so; afterwards 409."""
        row = self.found(account_id, transfer_id)
        services.transfer_cancel(
            actor=self.user, transfer_id=row.pk, reason="The customer took it back", source="api"
        )
        return Response(io.transfer_data(self.found(account_id, transfer_id)))
