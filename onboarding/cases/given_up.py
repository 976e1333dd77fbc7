"""A call to the provider that was given up: nobody knows whether it took effect, and it is not repeated by itself."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from onboarding import given_up, look_up, notices, second_person, update_jobs
from onboarding.cases import traits
from onboarding.dossier import anchors
from onboarding.models import AccountUpdate, Application, Document, ProviderAccount, SettlementChange
from onboarding.operations import (
    COMPARE,
    KYB_TRIGGER,
    LOOK_UP,
    PARTY_STATUS,
    SAVE_ACCOUNT,
    SETTLEMENT,
    SHARED_IDENTITY,
    UPDATE,
    UPLOAD,
)
from onboarding.papers import NOT_PASSED_ON
from portal import outbox
from portal.errors import Conflict
from portal.models import OutboundCall
from portal.ui.time import moment_words
from providers import expected
from providers.models import CallLog

#: So many attempts are told of each call; its own page has them all.
MOST = 8


def _evidence(case: Case) -> Sequence[kinds.Section]:
    calls = OutboundCall.objects.filter(subject_id=case.subject_id, operation__in=given_up.WORDS)
    sections = []
    for call in calls.defer("body").order_by("-created_at")[:5]:
        rows = [
            kinds.Row("State", call.get_status_display(), reverse("operations:call", args=[call.pk])),
            kinds.Row("Written down", moment_words(call.created_at)),
            kinds.Row("First sent", moment_words(call.first_sent_at) if call.first_sent_at else "Never"),
            kinds.Row("Attempts", str(call.attempts)),
            kinds.Row("What was said last", call.problem or "Nothing"),
        ]
        attempts = CallLog.objects.filter(outbound_call_id=call.pk).order_by("-at")[:MOST]
        told = tuple(
            (moment_words(row.at), str(row.status or "none"), str(row.outcome).replace("_", " "))
            for row in attempts
        )
        sections.append(
            kinds.Section(
                given_up.WORDS[call.operation],
                tuple(rows),
                kinds.Comparison(("Sent", "HTTP status", "Outcome"), told) if told else None,
            )
        )
    return sections


def _page(subject_id: UUID) -> str:
    call = OutboundCall.objects.filter(subject_id=subject_id, operation__in=given_up.WORDS).first()
    account_id = given_up.account_id_of(call) if call else None
    application = Application.objects.filter(account=account_id).values_list("pk", flat=True).first()
    return reverse("staff:application", args=[application]) if application else ""


def _traits(subject_id: UUID) -> kinds.Traits:
    call = OutboundCall.objects.filter(subject_id=subject_id, operation__in=given_up.WORDS).first()
    return traits.of_account(given_up.account_id_of(call)) if call else kinds.Traits()


def _lock(subject_id: UUID) -> None:
    """The calls, then the application and the account, as the worker that records an answer takes them."""
    calls = list(given_up.of_subject(subject_id).select_for_update(of=("self",)).defer("body"))
    if calls:
        given_up.account_of(calls[0])


def _waiting(case: Case) -> list[OutboundCall]:
    calls = list(given_up.of_subject(case.subject_id).defer("body"))
    if not calls:
        raise Conflict("No call about this waits for a person any more.")
    return calls


def _again(ruling: kinds.Ruling) -> str:
    calls = _waiting(ruling.case)
    for call in calls:
        outbox.retry_by_person(actor=ruling.actor, call_id=call.pk, reason=ruling.text)
    given_up.mark(given_up.account_of(calls[0]))
    return "It is being sent again. Should it be given up once more, a new case opens."


def _look(ruling: kinds.Ruling) -> str:
    calls = [call for call in _waiting(ruling.case) if call.operation in look_up.READABLE]
    if not calls:
        raise Conflict(
            "Nothing of this can be looked up at the provider. Try it again: asking twice is harmless."
        )
    for call in calls:
        account = given_up.account_of(call)
        subject = account if call.subject_id == account.pk else _row(call)
        body = {"call": str(call.pk)}
        outbox.enqueue(operation=LOOK_UP, subject=subject, body=body, actor=ruling.actor)
    return "It is being looked up. If it is there this case closes by itself, if not a new one opens."


def _row(call: OutboundCall) -> AccountUpdate | Document | SettlementChange:
    if call.operation == UPLOAD:
        return Document.objects.get(pk=call.subject_id)
    if call.operation == SETTLEMENT:
        return SettlementChange.objects.get(pk=call.subject_id)
    return AccountUpdate.objects.get(pk=call.subject_id)


def _drop(ruling: kinds.Ruling) -> str:
    calls = _waiting(ruling.case)
    for call in calls:
        account = given_up.account_of(call)
        no = outbox.Refused("Given up for good.")
        outbox.conclude(call_id=call.pk, outcome=no, reason=ruling.text, actor=ruling.actor, record=False)
        _ENDS[call.operation](call, account, ruling)
    given_up.mark(given_up.account_of(calls[0]))
    return "Given up for good. The customer's page says what it means for them."


def _end_application(call: OutboundCall, account: ProviderAccount, ruling: kinds.Ruling) -> None:
    application = account.application
    expected.met(account, PARTY_STATUS)
    if application.status != Application.Status.SUBMITTED:
        return  # The provider's word came in another way and stands.
    application.move_to(
        Application.Status.REJECTED, actor=ruling.actor, reason="It could not be passed on.", source="case"
    )
    notices.application_rejected(application)


def _end_update(call: OutboundCall, account: ProviderAccount, ruling: kinds.Ruling) -> None:
    update = update_jobs.lock_update(call)
    if update.status in {AccountUpdate.Status.CHECKING, AccountUpdate.Status.SENDING}:
        update_jobs.refused(update, "It could not be passed on.", source="case", actor=ruling.actor)


def _end_upload(call: OutboundCall, account: ProviderAccount, ruling: kinds.Ruling) -> None:
    document = Document.objects.select_for_update(of=("self",)).get(pk=call.subject_id)
    if document.status == Document.Status.SENDING:
        document.problem = NOT_PASSED_ON
        document.save(update_fields=["problem"])
        document.move_to(Document.Status.REFUSED, actor=ruling.actor, reason=NOT_PASSED_ON, source="case")


def _end_trigger(call: OutboundCall, account: ProviderAccount, ruling: kinds.Ruling) -> None:
    expected.met(account, PARTY_STATUS)
    account.kyb_problem = "The provider could not be asked to begin."
    account.save(update_fields=["kyb_problem"])


def _end_settlement(call: OutboundCall, account: ProviderAccount, ruling: kinds.Ruling) -> None:
    change = SettlementChange.objects.select_for_update(of=("self",)).get(pk=call.subject_id)
    if change.status == SettlementChange.Status.SENDING:
        change.problem = "Given up: it could not be passed on to the provider."
        change.save(update_fields=["problem"])
        change.move_to(SettlementChange.Status.REFUSED, actor=ruling.actor, source="case")


def _end_import(call: OutboundCall, account: ProviderAccount, ruling: kinds.Ruling) -> None:
    account.rescreening_since = None
    account.save(update_fields=["rescreening_since"])


_ENDS: dict[str, Callable[[OutboundCall, ProviderAccount, kinds.Ruling], None]] = {
    SAVE_ACCOUNT: _end_application,
    COMPARE: _end_update,
    UPDATE: _end_update,
    UPLOAD: _end_upload,
    KYB_TRIGGER: _end_trigger,
    SETTLEMENT: _end_settlement,
    SHARED_IDENTITY: _end_import,
}

kind = kinds.CaseKind(
    name=given_up.KIND,
    title="Call to the provider given up",
    purpose=(
        "A call stayed without an answer for longer than the provider remembers its key. It may have taken effect or "
        "not; the customer waits. The case closes by itself when the call comes to an end."
    ),
    checklist=(
        kinds.CheckItem("effect", "Whether it may have taken effect already considered: look it up first"),
        kinds.CheckItem("attempts", "What was answered last read, and whether the provider works again"),
    ),
    decisions=(
        kinds.Decision(
            "look",
            "Look it up at the provider",
            "Reads their record first: the safe thing to do. For applications, changes, papers and how an account "
            "settles.",
            effect=_look,
            closes=False,
        ),
        kinds.Decision(
            "again",
            "Try again",
            "The same data under a new key. Look it up first where it may be there already.",
            effect=_again,
            needs_text=True,
        ),
        kinds.Decision(
            "drop",
            "Give it up for good",
            "An application ends as not opened, a change as not made, a paper is asked for again, an account settles "
            "as before. The customer is told what concerns them.",
            effect=_drop,
            reasons={
                "not_there": "Looked up: it is not there, and is not wanted any more",
                "refused": "The provider says that it will not take it",
                "outdated": "Outdated meanwhile",
            },
            needs_text=True,
        ),
    ),
    evidence=_evidence,
    subject_url=_page,
    anchor=anchors.of_case,
    lock=_lock,
    traits=_traits,
    ruled_out=second_person.about(
        (ProviderAccount, "application"),
        (AccountUpdate, "account__application"),
        (SettlementChange, "account__application"),
        (Document, "application"),
    ),
    priority=Case.Priority.HIGH,
    due_after=timedelta(days=1),
    balls={Case.Status.DECIDED: kinds.Words("provider", "Being looked up at the provider", "Its answer")},
)
