"""An account that is other at the provider than with us: found by reading every account, or by the provider's list."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from onboarding import jobs, second_person, services
from onboarding.cases import traits
from onboarding.dossier import anchors
from onboarding.models import AccountCheck, Application, ProviderAccount
from onboarding.reconciliation import comparing
from portal.errors import Conflict
from portal.sealed import Sealed
from portal.ui.time import moment_words


def _check(account_id: UUID) -> AccountCheck | None:
    return AccountCheck.objects.filter(account=account_id).first()


def _application(account_id: UUID) -> UUID | None:
    return Application.objects.filter(account=account_id).values_list("pk", flat=True).first()


def _evidence(case: Case) -> Sequence[kinds.Section]:
    check, application_id = _check(case.subject_id), _application(case.subject_id)
    if check is None or application_id is None:
        return ()
    lines = comparing.kept_lines(check)
    columns = ("Field", "Ours", "Sent last", "The provider's copy", "Who changes it")
    rows = tuple(
        (
            line["words"],
            line["ours"],
            line["sent"],
            line["theirs"],
            "The provider's operations alone" if line["restricted"] else "An update",
        )
        for line in lines
    )
    read = kinds.Row("Read", moment_words(check.checked_at) if check.checked_at else "Not yet")
    page = kinds.Row(
        "Read it again now", "Compare the copies", reverse("staff:compare", args=[application_id])
    )
    return (
        kinds.Section(
            "The copies, as they were read last" if lines else "The copies agree",
            (read, page),
            kinds.Comparison(columns, rows) if rows else None,
        ),
    )


def _page(subject_id: UUID) -> str:
    application_id = _application(subject_id)
    return reverse("staff:application", args=[application_id]) if application_id else ""


def _lock(subject_id: UUID) -> None:
    if ProviderAccount.objects.filter(pk=subject_id).exists():
        jobs.lock_account(subject_id)


def _send(ruling: kinds.Ruling) -> str:
    application_id = _application(ruling.case.subject_id)
    assert application_id is not None
    services.update_resend(
        actor=ruling.actor, application_id=application_id, reason=ruling.text, source="case"
    )
    comparing.decided(ruling.case.subject_id)
    return "Our complete data set is on its way. The next reading shows whether the copies agree."


def _take(ruling: kinds.Ruling) -> str:
    check, application_id = _check(ruling.case.subject_id), _application(ruling.case.subject_id)
    kept = check.takeable if check else None
    steps = kept.reveal() if isinstance(kept, Sealed) and kept else []
    if not steps or application_id is None:
        raise Conflict(
            "Nothing of what differs can be taken over: names, contact and addresses can. "
            "Send ours again, or leave it and say why."
        )
    for step in steps:
        services.theirs_take(
            actor=ruling.actor,
            application_id=application_id,
            owner_id=UUID(step["owner"]),
            step=step["step"],
            answers=step["answers"],
            reason=ruling.text,
            source="case",
        )
    comparing.decided(ruling.case.subject_id)
    return f"The provider's copy of {len(steps)} steps was taken over as it was read."


kind = kinds.CaseKind(
    name=comparing.KIND,
    title="Account differs at the provider",
    purpose=(
        "Our record of an account and the provider's are not the same. Find out which is right, with the customer "
        "where it is theirs to say. The case closes by itself when a later reading finds that they agree."
    ),
    checklist=(
        kinds.CheckItem("compared", "Each line looked at"),
        kinds.CheckItem("right", "For each: known which is right, from a paper or the customer"),
    ),
    decisions=(
        kinds.Decision(
            "send",
            "Ours is right: send it again",
            "The provider is sent our complete data set. What it alone may change stays as it is there.",
            effect=_send,
            needs_text=True,
        ),
        kinds.Decision(
            "take",
            "Theirs is right: take it over",
            "Names, contact and addresses become what the provider holds, as read last. Nothing is sent.",
            effect=_take,
            needs_text=True,
        ),
        kinds.Decision(
            "leave",
            "Leave it as it is",
            "The same difference opens no further case. Say why, and what was done elsewhere.",
            reasons={
                "harmless": "Only written another way",
                "provider": "The provider's team puts it right",
                "customer": "The customer puts it right",
            },
            needs_text=True,
        ),
    ),
    evidence=_evidence,
    subject_url=_page,
    anchor=anchors.of_case,
    lock=_lock,
    traits=traits.of_account,
    ruled_out=second_person.about((ProviderAccount, "application")),
    due_after=timedelta(days=2),
)
