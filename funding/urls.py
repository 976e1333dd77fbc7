"""The customer's addresses about their money, below /money/."""

from django.urls import path

from funding.views import activity, bank, money, moving, notices, statements, wires

app_name = "money"
urlpatterns = [
    path("", money.home, name="home"),
    path("accounts/<uuid:account_id>/", money.account, name="account"),
    path("accounts/<uuid:account_id>/add/", moving.deposit, name="deposit"),
    path("accounts/<uuid:account_id>/withdraw/", moving.withdraw, name="withdraw"),
    path("accounts/<uuid:account_id>/wire/", wires.wire_in, name="wire_in"),
    path("accounts/<uuid:account_id>/wire-accounts/", wires.recipients, name="recipients"),
    path("wire-accounts/<uuid:recipient_id>/remove/", wires.recipient_remove, name="recipient_remove"),
    path("accounts/<uuid:account_id>/activity/", activity.activity, name="activity"),
    path("accounts/<uuid:account_id>/statements/", statements.months, name="statements"),
    path("accounts/<uuid:account_id>/statements/<slug:month>.pdf", statements.pdf, name="statement_pdf"),
    path("accounts/<uuid:account_id>/statements/<slug:month>.csv", statements.csv, name="statement_csv"),
    path("review/<uuid:draft_id>/", moving.review, name="review"),
    path("transfers/<uuid:transfer_id>/", activity.transfer, name="transfer"),
    path("transfers/<uuid:transfer_id>/part/", activity.transfer_part, name="transfer_part"),
    path("transfers/<uuid:transfer_id>/done/", moving.done, name="done"),
    path("transfers/<uuid:transfer_id>/receipt/", activity.receipt, name="receipt"),
    path("transfers/<uuid:transfer_id>/cancel/", activity.cancel, name="cancel"),
    path("notices/", notices.listing, name="notices"),
    path("notices/read/", notices.read, name="notices_read"),
    path("notices/choices/", notices.choices, name="choices"),
    path("notices/choices/keep/", notices.choose, name="choose"),
    path("bank/", bank.bank, name="bank"),
    path("bank/start/", bank.start, name="bank_start"),
    path("bank/link/", bank.link, name="bank_link"),
    path("bank/link/<uuid:session_id>/", bank.linked, name="bank_linked"),
    path("bank/done/", bank.done, name="bank_done"),
    path("bank/choose/<uuid:login_id>/", bank.choose, name="bank_choose"),
    path("bank/unlink/", bank.unlink, name="bank_unlink"),
]
