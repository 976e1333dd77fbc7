"""The receipt of one transfer: what its page shows, as a PDF to keep."""

from typing import Any

from django.conf import settings
from django.utils.formats import date_format

from funding import standing
from funding.models import Transfer
from onboarding.models import Owner
from portal import clock
from portal.pdf import BLACK, GREY, new_sheet, paragraph
from portal.ui.time import moment_words


def facts(transfer: Transfer) -> list[dict[str, Any]]:
    """What is known of it, in order, for the page and the receipt; no days to come where it did not stand."""
    stands = transfer.status in {*Transfer.UNDER_WAY, Transfer.Status.COMPLETED}
    release_on = transfer.release_on if stands and transfer.is_deposit else None
    rows = [
        {"label": "Amount", "value": transfer.amount.format()},
        {"label": "What", "value": standing.name(transfer)},
        {"label": "From" if transfer.is_deposit else "To", "value": standing.other_side(transfer)},
        {"label": "Asked for", "value": moment_words(transfer.created_at)},
        {"label": "Expected by", "value": _day(transfer.expected_on if stands else None)},
        {"label": "Completed", "value": moment_words(transfer.completed_at) if transfer.completed_at else ""},
        {"label": "Can be withdrawn from", "value": _day(release_on)},
        {"label": "Reference", "value": transfer.reference},
        {"label": "Receipt", "value": transfer.short},
    ]
    return [row for row in rows if row["value"]]


def pdf(transfer: Transfer) -> bytes:
    """The receipt as it reads now; its status is that of this moment."""
    owner = Owner.objects.get(application=transfer.account.application_id, is_applicant=True)
    words = standing.explain(transfer)
    now = moment_words(clock.now())
    lines = [
        ("Status", f"{transfer.get_status_display()}, as of {now}"),
        *((row["label"], row["value"]) for row in facts(transfer)),
        ("Account", transfer.account.client_account_id),
        ("Account holder", owner.full_name),
    ]
    end = f"{words.title}. {words.body} Questions: {settings.SUPPORT_EMAIL}, with the receipt's number."
    title = f"Receipt {transfer.short}"
    sheet = new_sheet(title, " ".join([end, *(part for line in lines for part in line)]))
    paragraph(sheet, title, 18)
    sheet.ln(4)
    for label, value in lines:
        sheet.set_text_color(*GREY)
        paragraph(sheet, label, 8)
        sheet.set_text_color(*BLACK)
        paragraph(sheet, value, 11)
        sheet.ln(1.5)
    sheet.ln(4)
    paragraph(sheet, end, 10)
    return bytes(sheet.output())


def _day(on: Any) -> str:
    return date_format(on, "j F Y") if on else ""
