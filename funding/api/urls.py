"""The customer's REST addresses about money, below /api/v1/."""

from django.urls import path

from funding.api import accounts, banks, notices, transfers, wires

app_name = "money_api"
urlpatterns = [
    path("accounts", accounts.MoneyAccountsView.as_view(), name="accounts"),
    path("accounts/<uuid:account_id>/balance", accounts.MoneyBalanceView.as_view(), name="balance"),
    path("accounts/<uuid:account_id>/transfers/quote", transfers.QuoteView.as_view(), name="quote"),
    path("accounts/<uuid:account_id>/transfers", transfers.TransfersView.as_view(), name="transfers"),
    path(
        "accounts/<uuid:account_id>/transfers/<uuid:transfer_id>",
        transfers.TransferView.as_view(),
        name="transfer",
    ),
    path(
        "accounts/<uuid:account_id>/transfers/<uuid:transfer_id>/cancel",
        transfers.TransferCancelView.as_view(),
        name="transfer_cancel",
    ),
    path(
        "accounts/<uuid:account_id>/transfers/<uuid:transfer_id>/receipt",
        transfers.ReceiptView.as_view(),
        name="receipt",
    ),
    path(
        "accounts/<uuid:account_id>/wire-instructions",
        wires.WireInstructionsView.as_view(),
        name="wire_instructions",
    ),
    path(
        "accounts/<uuid:account_id>/wire-recipients",
        wires.WireRecipientsView.as_view(),
        name="wire_recipients",
    ),
    path(
        "accounts/<uuid:account_id>/wire-recipients/<uuid:recipient_id>",
        wires.WireRecipientView.as_view(),
        name="wire_recipient",
    ),
    path("accounts/<uuid:account_id>/statements", accounts.StatementsView.as_view(), name="statements"),
    path(
        "accounts/<uuid:account_id>/statements/<slug:month>/pdf",
        accounts.StatementPdfView.as_view(),
        name="statement_pdf",
    ),
    path(
        "accounts/<uuid:account_id>/statements/<slug:month>/csv",
        accounts.StatementCsvView.as_view(),
        name="statement_csv",
    ),
    path("notices", notices.NoticesView.as_view(), name="notices"),
    path("notices/read", notices.NoticesReadView.as_view(), name="notices_read"),
    path("notices/choices", notices.NoticeChoicesView.as_view(), name="notice_choices"),
    path("accounts/<uuid:account_id>/bank-links", banks.BankLinksView.as_view(), name="bank_links"),
    path(
        "accounts/<uuid:account_id>/bank-links/<uuid:link_id>", banks.BankLinkView.as_view(), name="bank_link"
    ),
    path(
        "accounts/<uuid:account_id>/bank-links/<uuid:link_id>/exchange",
        banks.ExchangeView.as_view(),
        name="bank_link_exchange",
    ),
    path(
        "accounts/<uuid:account_id>/bank-links/<uuid:link_id>/end",
        banks.EndView.as_view(),
        name="bank_link_end",
    ),
    path(
        "accounts/<uuid:account_id>/bank-links/<uuid:link_id>/choose",
        banks.ChooseView.as_view(),
        name="bank_link_choose",
    ),
    path("accounts/<uuid:account_id>/bank", banks.BankView.as_view(), name="bank"),
]
