"""What a reading of the provider's record says against ours: kept on the account's check, and told to a person.

It is called in the transaction of every reading (onboarding.jobs.account_read), which holds application and account.
"""

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from compliance import services as compliance
from onboarding import party, readback
from onboarding.models import AccountCheck, AccountUpdate, ChangeRequest, Owner, ProviderAccount
from portal import clock, ids
from portal.sealed import Sealed
from providers.bakkt.types import Account as AccountAnswer

Status = ProviderAccount.Status
Outcome = AccountCheck.Outcome
KIND = "onboarding.differs"
#: A reading may have begun before our rows changed; so soon after a change it proves nothing.
SETTLING = timedelta(minutes=2)
#: The night's reading stands for the daily one, which comes by itself only where the night did not.
NEXT_POLL = timedelta(hours=30)
#: Paths of lines that are no field of the data set.
STANDING, REQUEST, LISTED, GONE = "status", "request.status", "list.status", "account"


def settle(account: ProviderAccount, record: AccountAnswer) -> None:
    """Compare the record with ours: open a case, add to it, or close it because the copies agree again."""
    check = locked_check(account)
    if record.request is None:
        # In a form nobody can read: nothing was learnt.
        _keep(check, Outcome.NOT_ANSWERED)
        return
    if account.status == Status.CLOSED or not _comparable(account, record):
        _keep(check, Outcome.UNDER_WAY)
        return
    if account.next_poll_at is not None:
        account.next_poll_at = clock.now() + NEXT_POLL
        account.save(update_fields=["next_poll_at"])
    reading = readback.compare(account.application, record.request)
    lines = [
        {
            "path": line.path,
            "words": line.words,
            "ours": line.ours,
            "sent": line.sent,
            "theirs": line.theirs,
            "restricted": line.restricted,
        }
        for line in reading.lines
    ]
    check.takeable = [
        {"owner": str(owner.pk), "step": step, "answers": readback.answers_from(record.request, owner, step)}
        for owner, step in reading.takeable
    ]
    found = [*_contradictions(account, record), *lines, *_listed(check, account)]
    _tell(check, account, found, Outcome.DIFFERS if found else Outcome.AGREES)


def not_there(account: ProviderAccount) -> None:
    """The provider knows no account of this key: news where it took it once."""
    check = locked_check(account)
    if account.status == Status.CLOSED or not account.provider_id or _changing(account):
        _keep(check, Outcome.UNDER_WAY)
        return
    line = _line(
        GONE, "The account itself", account.get_status_display(), "No account of this key (not found)"
    )
    check.takeable = None
    _tell(check, account, [line], Outcome.MISSING)


def listed(account: ProviderAccount, words: str) -> bool:
    """What the provider's own list calls a locked account; False where that contradicts ours."""
    check = locked_check(account)
    check.listed = words
    rest = [line for line in kept_lines(check) if line["path"] != LISTED]
    found = [*rest, *_listed(check, account)]
    if found != kept_lines(check):
        outcome = Outcome.DIFFERS if found else Outcome.AGREES
        _tell(check, account, found, check.outcome if check.outcome == Outcome.READING else outcome)
    else:
        check.save()
    return not any(line["path"] == LISTED for line in found)


def decided(account_id: UUID) -> None:
    """Somebody decided to make the copies the same: what differs after that is news."""
    AccountCheck.objects.filter(account=account_id).update(episode=ids.new_id())


def kept_lines(check: AccountCheck) -> list[dict[str, Any]]:
    """The differences as they were read last."""
    return list(check.lines.reveal()) if isinstance(check.lines, Sealed) and check.lines else []


def subject_of(account: ProviderAccount) -> compliance.Subject:
    """The account as its case is about it."""
    owner = Owner.objects.get(application=account.application_id, is_applicant=True)
    return compliance.Subject.of(account, f"{owner.full_name}, {account.client_account_id}"[:200])


def locked_check(account: ProviderAccount) -> AccountCheck:
    """The account's check, locked, made at the first asking; the caller holds the account."""
    AccountCheck.objects.get_or_create(account=account, defaults={"outcome": Outcome.UNDER_WAY})
    return AccountCheck.objects.select_for_update(of=("self",)).get(account=account)


# --- What differs -------------------------------------------------------------------------------------------


def _comparable(account: ProviderAccount, record: AccountAnswer) -> bool:
    """Whether both copies stand still: opened, readable, no change on its way."""
    if not account.provider_id or record.pending_update_ids:
        return False
    if account.doubt_status or account.status in {
        Status.PENDING,
        Status.UNDER_REVIEW,
        Status.DOCUMENTS_NEEDED,
    }:
        return False
    return not _changing(account)


def _changing(account: ProviderAccount) -> bool:
    lately = {"account": account, "status_at__gte": clock.now() - SETTLING}
    return (
        AccountUpdate.objects.filter(account=account, status__in=AccountUpdate.UNDER_WAY).exists()
        or AccountUpdate.objects.filter(**lately).exists()
        or ChangeRequest.objects.filter(**lately, status=ChangeRequest.Status.CONFIRMED).exists()
    )


def _contradictions(account: ProviderAccount, record: AccountAnswer) -> list[dict[str, Any]]:
    """Status words that cannot both be right. A reading knows no more than whether the account may trade."""
    found = []
    ours = account.get_status_display()
    if account.status in {Status.ACTIVE, Status.LIQUIDATE_ONLY} and account.can_trade is False:
        found.append(_line(STANDING, "Account status", ours, "May not trade (canTradeCrypto false)"))
    if account.status in {Status.SUSPENDED, Status.INACTIVE} and account.can_trade is True:
        found.append(_line(STANDING, "Account status", ours, "May trade (canTradeCrypto true)"))
    if account.status in party.OPENED and record.status == "REJECTED":
        found.append(_line(REQUEST, "Request status", ours, "REJECTED"))
    return found


def _listed(check: AccountCheck, account: ProviderAccount) -> list[dict[str, Any]]:
    waiting = account.status == Status.PENDING
    if not check.listed or waiting or account.status in party.listed_statuses(check.listed):
        return []
    return [_line(LISTED, "Status in the provider's list", account.get_status_display(), check.listed)]


def _line(path: str, words: str, ours: str, theirs: str) -> dict[str, Any]:
    return {
        "path": path,
        "words": words,
        "ours": ours,
        "sent": "–",
        "theirs": theirs,
        "restricted": False,
    }


# --- What is kept and told ----------------------------------------------------------------------------------


def _tell(check: AccountCheck, account: ProviderAccount, lines: list[dict[str, Any]], outcome: str) -> None:
    subject = subject_of(account)
    if not lines:
        if check.episode is not None:
            compliance.case_settle(
                kind=KIND, subject=subject, reason="The copies agree again.", source="reconciliation"
            )
        check.episode, check.fingerprint, check.lines = None, "", None
        _keep(check, outcome)
        return
    check.episode = check.episode or ids.new_id()
    check.fingerprint = _fingerprint(lines)
    check.lines = lines
    _keep(check, outcome)
    gone = outcome == Outcome.MISSING
    many = f"{len(lines)} fields differ" if len(lines) > 1 else f"{lines[0]['words']} differs"
    compliance.case_open(
        kind=KIND,
        subject=subject,
        title="The provider has no such account" if gone else f"{many} from the provider's record",
        facts={"what": ", ".join(line["words"] for line in lines)[:1000], "ours": account.status},
        source="reconciliation",
        dedupe=f"{check.episode}:{check.fingerprint}",
    )


def _keep(check: AccountCheck, outcome: str) -> None:
    check.outcome, check.checked_at = outcome, clock.now()
    check.save()


def _fingerprint(lines: list[dict[str, Any]]) -> str:
    told = [[line["path"], line["ours"], line["theirs"]] for line in lines]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
