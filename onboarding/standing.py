"""Where an application stands: who has the ball, what the customer is told, what an app does next.

Computed from the rows alone, so that the customer's page, the staff's page and the API say the same thing.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format

from onboarding import abandoned, papers_standing
from onboarding import standing_words as words
from onboarding.identity import standing as identity
from onboarding.models import Application, ProviderAccount
from onboarding.told import Standing
from portal.ball import Ball

Verdict = Application.Status
Account = ProviderAccount.Status

#: What machines do, ours or the provider's, takes seconds; after this long a person should look.
SLOW_AFTER = timedelta(minutes=10)
#: Where the provider has the application: what is not passed on then is a paper, a change or the word to begin.
_AT_PROVIDER = frozenset({Verdict.RECEIVED, Verdict.IN_REVIEW, Verdict.ACTION_REQUIRED, Verdict.APPROVED})
#: How long a person of ours may take to look at an application that is held.
HELD_FOR = timedelta(days=1)


def account_of(application: Application) -> ProviderAccount | None:
    """The application's account, if it was handed in."""
    return getattr(application, "account", None)


def ball(application: Application) -> Ball:
    """Who has the ball. The same line on the customer's page, the staff's page and in the API."""
    since = application.status_at
    account = account_of(application)
    asked = papers_standing.ball(application)
    if asked is not None:
        return asked
    match application.status:
        case Verdict.DRAFT if application.is_with_staff:
            return Ball(
                "us", "We are filling it in for the customer", application.updated_at, "Handing it over"
            )
        case Verdict.DRAFT:
            return Ball(
                "customer",
                "Waiting for the customer to finish the application",
                application.updated_at,
                "Handing it in",
            )
        case Verdict.CORRECTION_NEEDED:
            return Ball(
                "customer",
                "Waiting for the customer to correct some answers",
                since,
                "Correcting them and handing in again",
            )
        case Verdict.HELD:
            return Ball(
                "us",
                "We are looking at the application before we pass it on",
                since,
                "A decision by our compliance team",
                since + HELD_FOR,
            )
        case Verdict.SUBMITTED if account and account.stuck_at:
            return Ball(
                "us",
                "Passing it on did not work; one of us looks at it",
                account.stuck_at,
                "A decision by our compliance team",
                account.stuck_at + HELD_FOR,
            )
        case Verdict.SUBMITTED:
            return Ball(
                "us",
                "We are passing it on to the provider",
                since,
                "The provider's receipt",
                since + SLOW_AFTER,
            )
        case Verdict.RECEIVED | Verdict.IN_REVIEW if (
            account and account.stuck_at and not account.papers_missing
        ):
            return Ball(
                "us",
                "Something of it could not be passed on; one of us looks at it",
                account.stuck_at,
                "A decision by our compliance team",
                account.stuck_at + HELD_FOR,
            )
        case Verdict.RECEIVED if _papers_open(account):
            assert account is not None
            return _papers_ball(account, since)
        case Verdict.RECEIVED:
            return Ball(
                "provider",
                "Waiting for the provider's checks",
                since,
                "The provider's answer, usually within minutes",
                since + SLOW_AFTER,
            )
        case Verdict.IN_REVIEW:
            return Ball(
                "provider",
                "Waiting for the provider's compliance team",
                since,
                "Their decision; it can take some business days",
            )
        case Verdict.ACTION_REQUIRED:
            return identity.ball(account, since)
        case Verdict.REJECTED if account and account.rescreening_since:
            if account.stuck_at:
                return Ball(
                    "us",
                    "Not opened; a shared identity check could not be passed on, and one of us looks at it",
                    account.stuck_at,
                    "A decision by our compliance team",
                    account.stuck_at + HELD_FOR,
                )
            return Ball(
                "provider",
                "Not opened so far; the provider looks at a shared identity check",
                account.rescreening_since,
                "The provider's answer, usually within minutes",
                account.rescreening_since + SLOW_AFTER,
            )
        case Verdict.REJECTED:
            return Ball("nobody", "Decided: the account was not opened", since)
        case Verdict.WITHDRAWN:
            if application.expired_at is not None:
                return Ball("nobody", "Expired: nobody went on with the draft", since)
            return Ball("nobody", "Withdrawn by the customer", since)
    return _after_approval(account, since)


def _papers_open(account: ProviderAccount | None) -> bool:
    """Whether a company or trust is not being screened yet: for its papers, or because the provider refused."""
    if account is None or account.papers_missing is None:
        return False
    return account.kyb_asked_at is None or account.kyb_problem != ""


def _papers_ball(account: ProviderAccount, since: datetime) -> Ball:
    if account.papers_missing:
        papers = f"{account.papers_missing} of them"
        return Ball(
            "customer", f"Waiting for papers: {papers}", since, "Uploading them; then the checks begin"
        )
    if account.kyb_problem:
        return Ball("us", "The provider did not begin its checks", since, "One of us looks at what it said")
    return Ball("us", "We are passing the papers on", since, "The start of the provider's checks")


def _after_approval(account: ProviderAccount | None, since: datetime) -> Ball:
    if account is None:
        return Ball("nobody", "Approved", since)
    lines = {
        Account.ACTIVE: ("nobody", "The account is open and active"),
        Account.SUSPENDED: ("provider", "Suspended; waiting for the provider's compliance team"),
        Account.LIQUIDATE_ONLY: ("customer", "The customer may only sell and withdraw"),
        Account.CLOSED: ("nobody", "The account is closed"),
        Account.UNDER_REVIEW: (
            "provider",
            "The account is being looked at by the provider's compliance team",
        ),
        Account.INACTIVE: ("provider", "The provider switched the account off"),
    }
    if account.status == Account.DOCUMENTS_NEEDED and not account.closing_asked_at:
        return identity.ball(account, account.status_at)
    holder, line = lines.get(Account(account.status), ("provider", "Waiting for the provider"))
    if account.closing_asked_at and account.status != Account.CLOSED:
        return Ball("provider", f"{line}; closing was asked for", account.closing_asked_at)
    if account.held_at and account.status != Account.CLOSED:
        held = f"{line}; we hold its money and look at it"
        return Ball("us", held, account.held_at, "A decision by our compliance team")
    if account.stuck_at:
        stuck = f"{line}; a change could not be passed on, and one of us looks at it"
        return Ball(
            "us", stuck, account.stuck_at, "A decision by our compliance team", account.stuck_at + HELD_FOR
        )
    return Ball(holder, line, account.status_at)


def standing(application: Application) -> Standing:
    """What the customer reads about the application now."""
    found = papers_standing.told(application, _without_requests(application))
    account = account_of(application)
    if account is None or not account.stuck_at or application.status not in _AT_PROVIDER:
        return found
    return replace(found, body=(*found.body, words.CHANGE_STUCK))


def _without_requests(application: Application) -> Standing:
    account = account_of(application)
    match application.status:
        case Verdict.DRAFT:
            until = abandoned.kept_until(application)
            if until is None:
                return words.DRAFT
            day = date_format(timezone.localtime(until), "j F Y")
            return replace(words.DRAFT, body=(*words.DRAFT.body, f"Without a change we keep it until {day}."))
        case Verdict.HELD:
            return words.HELD
        case Verdict.RECEIVED if _papers_open(account) and account and account.papers_missing:
            return words.PAPERS
        case Verdict.SUBMITTED if account and account.stuck_at:
            return words.STUCK
        case Verdict.SUBMITTED | Verdict.RECEIVED:
            return words.WAITING
        case Verdict.CORRECTION_NEEDED:
            return words.CORRECT
        case Verdict.IN_REVIEW:
            return words.REVIEW
        case Verdict.ACTION_REQUIRED:
            return identity.standing(account)
        case Verdict.REJECTED if account and account.rescreening_since:
            return words.RESCREENING
        case Verdict.REJECTED:
            reason = account.party_reason if account else ""
            never_heard_of = account is not None and not (account.provider_id or account.party_status)
            return Standing(
                "We could not open your account",
                words.NOT_PASSED_ON
                if never_heard_of
                else words.REJECTED.get(reason, words.REJECTED_OTHERWISE),
                "danger",
                "contact_support",
                "Write to support",
                True,
            )
        case Verdict.WITHDRAWN:
            ran_out = application.expired_at is not None
            return Standing(
                "This application has run out" if ran_out else "You withdrew this application",
                (
                    f"Nothing was changed for {abandoned.EXPIRE_AFTER.days} days. "
                    "Start a new one whenever you like."
                    if ran_out
                    else "Start a new one whenever you like.",
                ),
                "neutral",
                "start_application",
                "Start a new application",
                False,
            )
    if account and account.status == Account.DOCUMENTS_NEEDED:
        return _with_closing(account, identity.standing(account))
    found = words.AFTER.get(account.status, words.ACTIVE) if account else words.ACTIVE
    if account and account.held_at and account.status != Account.CLOSED:
        found = (
            words.HELD_BY_US
            if account.status == Account.ACTIVE
            else replace(found, body=(*found.body, words.PAUSED))
        )
    return _with_closing(account, found) if account else found


def _with_closing(account: ProviderAccount, found: Standing) -> Standing:
    """The same, where the customer waits for the account to be closed."""
    if not account.closing_asked_at or account.status == Account.CLOSED:
        return found
    sentence = "Closing this account was asked for. It can be used until the provider has closed it."
    if account.status == Account.ACTIVE:
        return replace(found, title="Closing was asked for", body=(sentence,), tone="info")
    return replace(found, body=(*found.body, "Closing this account was asked for."))


def shown_status(application: Application) -> tuple[str, str]:
    """The status people look for, with its tone: the account's after approval, else the application's."""
    account = account_of(application)
    if application.status == Verdict.APPROVED and account is not None:
        if account.held_at and account.status == Account.ACTIVE:
            return "Held by us", "danger"
        return account.get_status_display(), words.TONES[account.status]
    if application.expired_at is not None:
        return "Expired", words.TONES[application.status]
    return application.get_status_display(), words.TONES[application.status]
