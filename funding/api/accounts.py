"""The endpoints of what an account has: balances, what may be done, statements."""

from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from funding import balances, downloads, selectors, statements
from funding import permissions as mine
from funding.api import serializers as io
from funding.models import Transfer
from funding.terms import Order, live_bank, terms
from funding.views.money import WITHOUT_BALANCE
from onboarding import availability
from onboarding.api.agreements import PdfRenderer
from onboarding.api.views import CustomerView
from onboarding.models import ProviderAccount
from portal.api.schema import answers
from portal.models import User

Direction, Rail = Transfer.Direction, Transfer.Rail


class CsvRenderer(PdfRenderer):
    """CSV as it is; a problem as JSON."""

    media_type = "text/csv"
    format = "csv"


def account_data(user: User, account: ProviderAccount) -> dict[str, Any]:
    """One account as the API gives it."""
    orders = {
        "deposit_ach": Order(Direction.DEPOSIT, Rail.ACH),
        "withdraw_ach": Order(Direction.WITHDRAWAL, Rail.ACH),
        "withdraw_wire": Order(Direction.WITHDRAWAL, Rail.WIRE),
    }
    stops = {name: terms(user, account, order).stops for name, order in orders.items()}
    stops["deposit_wire"] = availability.can(user, availability.Use.DEPOSIT, account)
    bank = live_bank(account)
    return {
        "id": account.pk,
        "client_account_id": account.client_account_id,
        "application": account.application_id,
        "status": account.status,
        "bank": f"{bank.institution} ending in {bank.mask}" if bank else "",
        "balance": io.balance_data(balances.standing(account)),
        "stops": stops,
    }


class MoneyAccountsView(CustomerView):
    @extend_schema(
        operation_id="accounts_list",
        summary="My accounts, with their money and what may be done with it",
        responses=answers(200, io.MoneyAccountListSerializer),
    )
    def get(self, request: Request) -> Response:
        """From what is kept; ask for one account's balance to have the provider asked."""
        rows = selectors.accounts_of(self.user)
        data = {"results": [account_data(self.user, row) for row in rows]}
        return Response(io.MoneyAccountListSerializer(data).data)


class MoneyBalanceView(CustomerView):
    @extend_schema(
        operation_id="account_balance",
        summary="The balance of an account, read at the provider when the kept one is older than a minute",
        responses=answers(200, io.AccountBalanceSerializer, "not-found"),
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """`fresh` false: the provider did not answer; show `read_at` with the amounts."""
        account = mine.account_for(self.user, account_id)
        if account.status not in WITHOUT_BALANCE:
            balances.refresh_if_old(account)
        data = io.balance_data(balances.standing(account))
        return Response(io.AccountBalanceSerializer(data).data)


class StatementsView(CustomerView):
    @extend_schema(
        operation_id="account_statements",
        summary="The months that have a statement, newest first",
        responses=answers(200, io.MonthSerializer(many=True), "not-found"),
    )
    def get(self, request: Request, account_id: UUID) -> Response:
        """The newest is the month that runs."""
        account = mine.account_for(self.user, account_id)
        months = statements.listed(account)
        return Response([{"month": f"{month:%Y-%m}", "pdf_parts": len(parts)} for month, parts in months])


class StatementPdfView(CustomerView):
    renderer_classes: list[type[BaseRenderer]] = [PdfRenderer]

    @extend_schema(
        operation_id="account_statement_pdf",
        summary="One month's statement as a PDF",
        parameters=[
            OpenApiParameter(
                "part", int, description="Which of `pdf_parts`, from 1; needed where there are several."
            )
        ],
        responses=answers(200, OpenApiTypes.BINARY, "not-found", "conflict"),
    )
    def get(self, request: Request, account_id: UUID, month: str) -> HttpResponseBase:
        """From our own books; they add up to the cent. A month in which very much moved comes in parts of 2,000
        movements, each with its own opening and closing balance; 409 for it without `part`."""
        account, part = mine.account_for(self.user, account_id), request.query_params.get("part", "")
        return downloads.statement(account, month, "pdf", actor=self.user, source="api", part=part)


class StatementCsvView(CustomerView):
    renderer_classes: list[type[BaseRenderer]] = [CsvRenderer]

    @extend_schema(
        operation_id="account_statement_csv",
        summary="One month's statement as CSV",
        responses=answers(200, OpenApiTypes.BINARY, "not-found"),
    )
    def get(self, request: Request, account_id: UUID, month: str) -> HttpResponseBase:
        """The same as in the PDF, line by line."""
        account = mine.account_for(self.user, account_id)
        return downloads.statement(account, month, "csv", actor=self.user, source="api")
