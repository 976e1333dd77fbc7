"""Addresses of the staff pages of money."""

from django.urls import path

from funding.views import (
    bank_staff,
    staff_asking,
    staff_limits,
    staff_returns,
    staff_statements,
    staff_transfers,
)

app_name = "funding_staff"
_RULE = "<slug:asker>/<slug:rail>/<slug:direction>/"
urlpatterns = [
    path("transfers/", staff_transfers.transfers, name="transfers"),
    path("transfers/export.csv", staff_transfers.export, name="export"),
    path("transfers/volumes/", staff_transfers.volumes, name="volumes"),
    path("transfers/returns/", staff_returns.page, name="returns"),
    path("transfers/limits/", staff_limits.everyone, name="limits"),
    path(f"transfers/limits/{_RULE}", staff_limits.change, name="limit"),
    path("transfers/limits/<uuid:limit_id>/remove/", staff_limits.remove, name="limit_remove"),
    path("transfers/<uuid:transfer_id>/", staff_transfers.transfer, name="transfer"),
    path("transfers/<uuid:transfer_id>/receipt/", staff_statements.receipt, name="receipt"),
    path("transfers/<uuid:transfer_id>/approve/", staff_transfers.approve, name="approve"),
    path("transfers/<uuid:transfer_id>/refuse/", staff_transfers.refuse, name="refuse"),
    path("accounts/<uuid:account_id>/transfer/", staff_asking.ask, name="ask"),
    path("accounts/<uuid:account_id>/limits/", staff_limits.of_account, name="account_limits"),
    path(f"accounts/<uuid:account_id>/limits/{_RULE}", staff_limits.change, name="account_limit"),
    path("accounts/<uuid:account_id>/statements/", staff_statements.months, name="statements"),
    path(
        "accounts/<uuid:account_id>/statements/<slug:month>.pdf", staff_statements.pdf, name="statement_pdf"
    ),
    path(
        "accounts/<uuid:account_id>/statements/<slug:month>.csv", staff_statements.csv, name="statement_csv"
    ),
    path("accounts/<uuid:account_id>/bank/", bank_staff.bank, name="bank"),
]
