"""What events, answers and the clock make of a check. All of it on locked rows: application, account, check, link."""

from datetime import datetime, timedelta

from compliance import services as compliance
from compliance.models import Case
from onboarding.models import IdentityCheck, IdentityLink, Owner, ProviderAccount
from onboarding.models.identity import MOST_LINKS
from portal import audit, clock
from portal.models import User
from portal.sealed import blind_index

Status = IdentityCheck.Status
Source = IdentityLink.Source
End = IdentityLink.End

#: How long a link works where its message does not say it in a form we can read (seed 000).
LINK_LIFE = timedelta(hours=72)
CALL = "onboarding.verification_call"
EXHAUSTED = "onboarding.verification_exhausted"


def locked_check(account: ProviderAccount) -> IdentityCheck | None:
    """The check of the locked account, locked, with what ran out by now counted."""
    check = IdentityCheck.objects.select_for_update(of=("self",)).filter(account=account).first()
    if check is not None:
        check.account = account
        lapse(check)
    return check


def living_link(check: IdentityCheck) -> IdentityLink | None:
    """The link that works now, locked."""
    rows = IdentityLink.objects.select_for_update(of=("self",))
    link = rows.filter(identity_check=check, ended_at=None).first()
    return link if link is not None and link.expires_at > clock.now() else None


def lapse(check: IdentityCheck) -> bool:
    """Count the link that ran out, if one did. The clock alone decides; looking at a page changes nothing."""
    rows = IdentityLink.objects.select_for_update(of=("self",))
    link = rows.filter(identity_check=check, ended_at=None, expires_at__lte=clock.now()).first()
    if link is None:
        return False
    _end(link, End.EXPIRED)
    check.expirations += 1
    check.expires_at = None
    check.save(update_fields=["expirations", "expires_at"])
    check.move_to(Status.EXPIRED, actor=None, reason=f"link {link.number} ran out", source="task")
    if check.expirations >= MOST_LINKS:
        _call_the_customer(check, "All links of the identity check ran out", dedupe="expired")
    return True


def heard(
    account: ProviderAccount, *, is_asked: bool, url: str | None, expires_at: datetime | None, reason: str
) -> IdentityLink | None:
    """What a party event says of the check: asked for, perhaps with a link, or come to its end.

    A link counts whatever status stands beside it (contract, question 34). Returns the link that is new.
    """
    check = locked_check(account)
    if not is_asked and not url:
        if check is not None:
            resolve(check, reason)
        return None
    if check is None:
        check = IdentityCheck.objects.create(account=account)
        audit.record("identity_check.begin", subject=account.application, source="webhook")
        if not url:
            words = "The customer has to prove their identity; no link is here yet"
            _await_the_customer(check, words, clock.now() + LINK_LIFE, "asked")
    if url and not is_known(check, url, expires_at):
        if check.status in {Status.RESOLVED, Status.EXHAUSTED}:
            begin_again(check)
        return link_keep(check, url, expires_at, source=Source.WEBHOOK)
    if check.status == Status.RESOLVED and is_asked:
        begin_again(check)
    return None


def is_known(check: IdentityCheck, url: str, expires_at: datetime | None) -> bool:
    """Whether a link told by webhook is one we have, or older than the one we have: doubled or late."""
    same = check.links.filter(url_index=_index(url)).order_by("-pk").first()
    if same is not None:
        # The same address for longer is a link made to live again.
        return expires_at is None or expires_at <= same.expires_at
    newest = check.links.filter(round=check.round).order_by("-expires_at").first()
    return newest is not None and expires_at is not None and expires_at <= newest.expires_at


def link_keep(
    check: IdentityCheck,
    url: str,
    expires_at: datetime | None,
    *,
    source: str,
    actor: User | None = None,
) -> IdentityLink | None:
    """Keep a link of the locked check, in place of one that lives. None when that one is the same or newer.

    The number is what the clock counted: a link that replaces a living one spends nothing (contract, question 12).
    """
    until = expires_at or clock.now() + LINK_LIFE
    living = living_link(check)
    if living is not None:
        if living.url_index == _index(url) and until > living.expires_at:
            living.expires_at = check.expires_at = until
            living.save(update_fields=["expires_at"])
            check.save(update_fields=["expires_at"])
            return None
        if until <= living.expires_at:
            return None
        _end(living, End.REPLACED)
    link = IdentityLink.objects.create(
        identity_check=check,
        round=check.round,
        number=check.expirations + 1,
        url=url,
        url_index=_index(url),
        source=source,
        asked_by=actor,
        expires_at=until,
    )
    check.expires_at, check.refused_at, check.problem = until, None, ""
    check.failures, check.not_before = 0, None
    check.save(update_fields=["expires_at", "refused_at", "problem", "failures", "not_before"])
    if check.status != Status.AWAITING:
        check.move_to(Status.AWAITING, actor=actor, reason=f"link {link.number}", source=source)
    audit.record(
        "identity_check.link",
        subject=check.account.application,
        actor=actor,
        source=source,
        after={"number": link.number, "expires_at": until.isoformat()},
    )
    if link.number < MOST_LINKS:
        words = f"The customer has to prove their identity: link {link.number} of {MOST_LINKS}"
        _await_the_customer(check, words, until, f"link {link.number}")
    else:
        _call_the_customer(check, "The last link of the identity check was given out", dedupe="last")
    lapse(check)
    return link


def resolve(check: IdentityCheck, reason: str) -> None:
    """The provider said how the check ended: its link is forgotten, and what waited for a person is done."""
    if check.status == Status.RESOLVED:
        return
    link = IdentityLink.objects.select_for_update().filter(identity_check=check, ended_at=None).first()
    if link is not None:
        _end(link, End.RESOLVED)
    _clear(check)
    check.move_to(Status.RESOLVED, actor=None, reason=reason, source="webhook")
    _settle(check, "The identity check came to its end.")


def refuse(check: IdentityCheck, code: str, *, actor: User | None) -> None:
    """The provider gave no new link. After three expirations that is the end of attempts (contract, question 10)."""
    check.problem, check.failures = code[:80], 0
    if check.status == Status.EXPIRED and check.expirations >= MOST_LINKS:
        check.save(update_fields=["problem", "failures"])
        check.move_to(Status.EXHAUSTED, actor=actor, reason="no further link", source="provider")
        compliance.case_settle(
            kind=CALL,
            subject=subject_of(check),
            reason="The links are used up; another case stands for that.",
            source="provider",
        )
        compliance.case_open(
            kind=EXHAUSTED,
            subject=subject_of(check),
            title="The identity check has no links left",
            facts={"reference": check.account.client_account_id, "answer": code},
            source="provider",
            dedupe=f"round {check.round}",
        )
        return
    if check.expires_at is not None:
        # Staff asked while a link lives: it still works, and they read the answer.
        check.save(update_fields=["problem", "failures"])
        return
    check.refused_at = clock.now()
    check.save(update_fields=["problem", "failures", "refused_at"])
    _call_the_customer(
        check,
        "The provider refused a new link for the identity check",
        dedupe=f"refused {check.expirations}",
        answer=code,
    )


def subject_of(check: IdentityCheck) -> compliance.Subject:
    """The check as its cases are about it."""
    owner = Owner.objects.get(application=check.account.application_id, is_applicant=True)
    return compliance.Subject.of(check, f"{owner.full_name}, {check.account.client_account_id}")


def begin_again(check: IdentityCheck) -> None:
    """The provider asks anew after an end: the next round, with a budget of its own."""
    _settle(check, "The provider asked for the identity check anew.")
    check.round += 1
    check.expirations = 0
    check.save(update_fields=["round", "expirations"])
    _clear(check)
    check.move_to(Status.AWAITING, actor=None, reason=f"round {check.round}", source="webhook")


def _clear(check: IdentityCheck) -> None:
    check.expires_at = check.fetching_until = check.not_before = check.refused_at = None
    check.problem, check.failures = "", 0
    check.save(
        update_fields=["expires_at", "fetching_until", "not_before", "refused_at", "problem", "failures"]
    )


def _end(link: IdentityLink, end: str) -> None:
    """A link that ended is no secret worth keeping: its address goes."""
    link.url, link.ended_at, link.end = None, clock.now(), end
    link.handoff_sha256, link.handoff_until = "", None
    link.save(update_fields=["url", "ended_at", "end", "handoff_sha256", "handoff_until"])


def _index(url: str) -> str:
    return blind_index("onboarding.identitylink.url", url, "exact")


def _call_the_customer(check: IdentityCheck, title: str, *, dedupe: str, **facts: str) -> None:
    compliance.case_open(
        kind=CALL,
        subject=subject_of(check),
        title=title,
        facts={"reference": check.account.client_account_id, "links_run_out": check.expirations, **facts},
        source="task",
        dedupe=f"round {check.round}: {dedupe}",
        priority=Case.Priority.HIGH,
    )


def _await_the_customer(check: IdentityCheck, title: str, until: datetime, dedupe: str) -> None:
    """The ball is the customer's: the case waits for them as long as the link works."""
    compliance.case_open(
        kind=CALL,
        subject=subject_of(check),
        title=title,
        facts={"reference": check.account.client_account_id, "links_run_out": check.expirations},
        source="provider",
        dedupe=f"round {check.round}: {dedupe}",
        rests=compliance.Rest("customer", until),
    )


def _settle(check: IdentityCheck, reason: str) -> None:
    """Close the check's cases, whether they were decided or not."""
    for kind in (CALL, EXHAUSTED):
        settled = compliance.case_settle(
            kind=kind, subject=subject_of(check), reason=reason, source="provider"
        )
        decided = Case.objects.filter(kind=kind, subject_id=check.pk, status=Case.Status.DECIDED).first()
        if settled is None and decided is not None:
            compliance.case_close(case_id=decided.pk, reason=reason, source="provider")
