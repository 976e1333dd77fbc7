"""The decisions that the cases about the provider's word share, with their effects through our services."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from django.utils import timezone

from compliance import kinds
from onboarding import notices
from onboarding.jobs import lock_account
from onboarding.models import AccountHold, Application, Owner, ProviderAccount
from onboarding.services import closures, document_requests, holds
from onboarding.words_documents import DocumentType
from portal.errors import Conflict, Invalid

Cause = AccountHold.Cause
PAPER_WITHIN = timedelta(days=14)
ASKED_FOR = timedelta(days=5)


def _account(ruling: kinds.Ruling) -> ProviderAccount:
    return lock_account(ruling.case.subject_id)


def asked(ruling: kinds.Ruling) -> str:
    return "With the provider's team. Their next event, or the day below, brings the case back."


def _paper(ruling: kinds.Ruling) -> str:
    return ask_paper(ruling, _account(ruling).application)


def ask_paper(ruling: kinds.Ruling, application: Application, *, case_id: UUID | None = None) -> str:
    """Ask the applicant for the paper of the ruling's reason (PAPERS), or for an answer; its text is told to them.

    What comes for the account brings cases about it and its application back; others name themselves in `case_id`.
    """
    owner = Owner.objects.get(application=application, is_applicant=True)
    due_on: date = timezone.localdate() + PAPER_WITHIN
    try:
        document_requests.document_request(
            actor=ruling.actor,
            application_id=application.pk,
            types=PAPERS[ruling.reason_code][1],
            in_words=not PAPERS[ruling.reason_code][1],
            reason=ruling.text,
            due_on=due_on,
            owner_id=owner.pk,
            source="case",
            case_id=case_id,
        )
    except Invalid as error:
        sentences = [text for rows in error.fields.values() for text in rows]
        raise Invalid(error.message, fields={"text": sentences}) from error
    return f"{owner.full_name} was asked and has until {due_on.isoformat()}. What they send brings the case back."


def _held(cause: str) -> kinds.Effect:
    def hold(ruling: kinds.Ruling) -> str:
        account = _account(ruling)
        _needs_words(ruling)
        holds.hold_put(
            actor=ruling.actor,
            application_id=account.application_id,
            cause=cause,
            why=ruling.text,
            source="case",
            case_reference=ruling.case.reference,
        )
        return "We hold the account's money until the hold is released, also when the provider lifts its own."

    return hold


def held_everywhere(cause: str) -> kinds.Effect:
    def hold(ruling: kinds.Ruling) -> str:
        _needs_words(ruling)
        count = holds.holds_put_on_customer(
            actor=ruling.actor,
            account=_account(ruling),
            cause=cause,
            why=ruling.text,
            case_reference=ruling.case.reference,
        )
        return f"We hold the money of every account of this customer that is not closed: {count}."

    return hold


def _needs_words(ruling: kinds.Ruling) -> None:
    if not 5 <= len(ruling.text) <= holds.LONGEST_WHY:
        words = f"Say why, in 5 to {holds.LONGEST_WHY} characters. It is kept with the hold."
        raise Invalid("Some answers need attention.", fields={"text": [words]})


def _released(ruling: kinds.Ruling) -> str:
    account = _account(ruling)
    _needs_words(ruling)
    standing = AccountHold.objects.filter(account=account, status=AccountHold.Status.STANDING)
    keys = list(standing.order_by("pk").values_list("pk", flat=True))
    if not keys:
        raise Conflict("No hold of ours stands on this account.")
    for key in keys:
        holds.hold_release(actor=ruling.actor, hold_id=key, why=ruling.text, source="case")
    left = (
        "" if account.status == ProviderAccount.Status.ACTIVE else " The provider's own restriction stands."
    )
    return f"Our holds on this account were released.{left}"


def _close(ruling: kinds.Ruling) -> str:
    closures.closure_by_staff(
        actor=ruling.actor, application_id=_account(ruling).application_id, why=ruling.text, source="case"
    )
    return "Closing is asked for: its own case tells what the provider's operations need."


def _may_apply_again(ruling: kinds.Ruling) -> str:
    application = _account(ruling).application
    if application.status != Application.Status.REJECTED:
        raise Conflict("The provider has changed its verdict meanwhile. Look at the account.")
    if not application.customer.user.is_active:
        raise Conflict("The customer's login is switched off: there is nobody to write to.")
    notices.may_apply_again(application)
    return "The customer got a letter: they may apply again with the right details."


_ADDRESS = (DocumentType.PROOF_OF_RESIDENTIAL_ADDRESS,)
_IDENTITY = (DocumentType.PASSPORT, DocumentType.DRIVERS_LICENSE, DocumentType.IDENTIFICATION_CARD)
_TAX = (DocumentType.SOCIAL_SECURITY_CARD, DocumentType.PROOF_OF_PERSONAL_TAX_ID)
#: What may be asked for with one decision: how staff call it, and the papers that meet it; none: an answer in words.
PAPERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "identity": ("Passport, driving licence or identity card", _IDENTITY),
    "address": ("Proof of address", _ADDRESS),
    "tax_number": ("Card or letter with the tax number", _TAX),
    "funds": ("Proof of where the money comes from", (DocumentType.SOURCE_OF_FUNDS,)),
    "words": ("An answer in words to what you write", ()),
}

ASK = kinds.Decision(
    "ask_provider",
    "Ask the provider's compliance team, and wait",
    "Write to them first, with what “What to send them” gives. Say whom you wrote to, their ticket, and what "
    "was agreed.",
    effect=asked,
    needs_text=True,
    waits_on="provider",
    waits_for=ASKED_FOR,
)
PAPER = kinds.Decision(
    "ask_paper",
    "Ask the customer, and wait",
    "What you write is told to the customer, word for word. The case comes back when they send it, or after "
    "two weeks.",
    effect=_paper,
    reasons={code: words for code, (words, _) in PAPERS.items()},
    needs_text=True,
    waits_on="customer",
    waits_for=PAPER_WITHIN,
)
RELEASE = kinds.Decision(
    "release",
    "Release our hold",
    "Every cause that stands on this account. What the provider restricts stays restricted.",
    effect=_released,
    reasons={
        "explained": "Explained by the customer and proved",
        "false_alarm": "False alarm",
        "cleared": "The provider cleared it",
    },
    needs_text=True,
)
CLOSE = kinds.Decision(
    "close",
    "Have the account closed",
    "Opens the case of the closing, which passes it on to the provider's operations. The customer reads that closing "
    "was asked for.",
    effect=_close,
    reasons={
        "risk": "Outside the risk we accept",
        "untrue": "Untrue statements or papers",
        "no_answer": "The customer does not answer",
        "their_wish": "The customer wishes it",
    },
    needs_text=True,
)
AGAIN = kinds.Decision(
    "apply_again",
    "Mistyped or outdated: the customer may apply again",
    "They get a letter. The provider does not take a second try of the same application.",
    effect=_may_apply_again,
    reasons={
        "typing": "Mistyped",
        "moved": "Moved lately",
        "name": "Name changed",
        "other_number": "Wrong number",
    },
)


def hold_on(cause: str, hint: str, reasons: Mapping[str, str]) -> kinds.Decision:
    return kinds.Decision(
        "hold",
        "Hold the account's money ourselves, and wait",
        hint,
        effect=_held(cause),
        reasons=reasons,
        needs_text=True,
        waits_on="provider",
        waits_for=PAPER_WITHIN,
    )


def stands(
    label: str, hint: str, reasons: Mapping[str, str], *, verdict: Literal["", "refused"] = ""
) -> kinds.Decision:
    """Nothing is done: what the provider said stands."""
    return kinds.Decision("stands", label, hint, reasons=reasons, verdict=verdict)
