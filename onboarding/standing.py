"""Where an application stands: who has the ball, what the customer is told, what an app does next.

Computed from the rows alone, so that the customer's page, the staff's page and the API say the same thing.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format

from onboarding import abandoned, papers_standing
from onboarding.identity import standing as identity
from onboarding.models import Application, ProviderAccount
from onboarding.told import Standing
from portal.ball import Ball

Verdict = Application.Status
Account = ProviderAccount.Status

#: What machines do, ours or the provider's, takes seconds; after this long a person should look.
SLOW_AFTER = timedelta(minutes=10)
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
    return Ball(holder, line, account.status_at)


_DRAFT = Standing(
    "Your application is not finished",
    ("Your answers are saved. Go on where you left off, on any device.",),
    "info",
    "continue_application",
    "Continue the application",
    True,
)
_WAITING = Standing(
    "We have your application",
    (
        "It has been passed on to be checked. Most checks take a few minutes.",
        "You can close this page: we write to you when there is news, and this page changes by itself.",
    ),
    "info",
    "wait",
    "Nothing to do now",
    False,
    3,
)
_STUCK = Standing(
    "Passing on your application takes longer",
    (
        "Something did not work between us and the provider. Your application is safe with us, and a person of ours "
        "looks at it.",
        "You do not need to do anything now. We write to you as soon as it goes on, or if it cannot.",
    ),
    "warning",
    "wait",
    "Nothing to do now",
    False,
    60,
)
_NOT_PASSED_ON = (
    "We could not pass your application on to the provider, so the account could not be opened. "
    "This says nothing about you.",
    "Write to us if you have questions, or start a new application whenever you like.",
)
_PAPERS = Standing(
    "We need papers from you",
    (
        "The checks begin when all of them are here. Below is what is missing.",
        "A photo taken with a phone is enough, if everything on it can be read.",
    ),
    "warning",
    "upload_documents",
    "Upload the papers",
    True,
)
_HELD = Standing(
    "We are looking at your application",
    (
        "A person of ours looks at it before it is passed on. This usually takes less than one business day.",
        "You do not need to do anything now. We write to you when there is news.",
    ),
    "info",
    "wait",
    "Nothing to do now",
    False,
    15,
)
_CORRECT = Standing(
    "Please correct some answers",
    (
        "The provider did not accept some of what you entered. "
        "The steps to look at are marked; everything else is kept.",
    ),
    "warning",
    "correct_application",
    "Correct the marked steps",
    True,
)
_REVIEW = Standing(
    "Your application is being looked at by a person",
    (
        "This happens when the automatic checks could not decide. It says nothing about the outcome.",
        "It can take a few business days. You do not need to do anything now.",
    ),
    "info",
    "wait",
    "Nothing to do now",
    False,
    15,
)
#: Also named where a person lifts a restriction (onboarding/events.py).
ACTIVE = Standing(
    "Your account is active",
    ("It is open and ready to use.",),
    "success",
    "none",
    "Nothing to do",
    False,
)

_REJECTED: dict[str, tuple[str, ...]] = {
    "RISK_KYC": (
        "The details you entered could not be matched to official records, so the account could not be opened.",
        "If something was mistyped or your name or address changed lately, write to us: we can look at it with you.",
    ),
    "TAX_ID_MAX_RETRIES": (
        "Your tax number could not be verified, so the account could not be opened.",
        "Check the number on your card or letter and write to us if it differs from what you entered.",
    ),
}
_REJECTED_OTHERWISE = (
    "The checks the law asks for did not allow this account to be opened.",
    "We cannot give the reason here. Write to us if you have questions; a person will answer.",
)

_AFTER: dict[str, Standing] = {
    Account.SUSPENDED: Standing(
        "Your account is suspended",
        (
            "The provider has paused this account. Transfers and trades are not possible for now.",
            "Write to us and we tell you what can be said and what happens next.",
        ),
        "danger",
        "contact_support",
        "Write to support",
        True,
        60,
    ),
    Account.LIQUIDATE_ONLY: Standing(
        "You can sell and withdraw only",
        (
            "The provider has limited this account: you can sell what it holds and withdraw the money, "
            "but not buy or deposit.",
        ),
        "warning",
        "contact_support",
        "Write to support",
        False,
        60,
    ),
    Account.CLOSED: Standing(
        "Your account is closed",
        ("It can no longer be used. Statements remain available from us on request.",),
        "neutral",
        "contact_support",
        "Write to support",
        False,
    ),
    Account.UNDER_REVIEW: _REVIEW,
    Account.INACTIVE: Standing(
        "Your account is switched off",
        ("The provider has switched this account off. Write to us and we find out why.",),
        "danger",
        "contact_support",
        "Write to support",
        True,
        60,
    ),
}


def standing(application: Application) -> Standing:
    """What the customer reads about the application now."""
    return papers_standing.told(application, _without_requests(application))


def _without_requests(application: Application) -> Standing:
    account = account_of(application)
    match application.status:
        case Verdict.DRAFT:
            until = abandoned.kept_until(application)
            if until is None:
                return _DRAFT
            day = date_format(timezone.localtime(until), "j F Y")
            return replace(_DRAFT, body=(*_DRAFT.body, f"Without a change we keep it until {day}."))
        case Verdict.HELD:
            return _HELD
        case Verdict.RECEIVED if _papers_open(account) and account and account.papers_missing:
            return _PAPERS
        case Verdict.SUBMITTED if account and account.stuck_at:
            return _STUCK
        case Verdict.SUBMITTED | Verdict.RECEIVED:
            return _WAITING
        case Verdict.CORRECTION_NEEDED:
            return _CORRECT
        case Verdict.IN_REVIEW:
            return _REVIEW
        case Verdict.ACTION_REQUIRED:
            return identity.standing(account)
        case Verdict.REJECTED:
            reason = account.party_reason if account else ""
            never_heard_of = account is not None and not (account.provider_id or account.party_status)
            return Standing(
                "We could not open your account",
                _NOT_PASSED_ON if never_heard_of else _REJECTED.get(reason, _REJECTED_OTHERWISE),
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
    found = _AFTER.get(account.status, ACTIVE) if account else ACTIVE
    return _with_closing(account, found) if account else found


def _with_closing(account: ProviderAccount, found: Standing) -> Standing:
    """The same, where the customer waits for the account to be closed."""
    if not account.closing_asked_at or account.status == Account.CLOSED:
        return found
    sentence = "You asked to close this account. It can be used until the provider has closed it."
    if account.status == Account.ACTIVE:
        return replace(found, title="Closing was asked for", body=(sentence,), tone="info")
    return replace(found, body=(*found.body, "You asked to close this account."))


TONES: dict[str, str] = {
    Verdict.DRAFT: "neutral",
    Verdict.HELD: "info",
    Verdict.SUBMITTED: "info",
    Verdict.RECEIVED: "info",
    Verdict.CORRECTION_NEEDED: "warning",
    Verdict.IN_REVIEW: "info",
    Verdict.ACTION_REQUIRED: "warning",
    Verdict.APPROVED: "success",
    Verdict.REJECTED: "danger",
    Verdict.WITHDRAWN: "neutral",
    Account.PENDING: "info",
    Account.ACTIVE: "success",
    Account.UNDER_REVIEW: "info",
    Account.DOCUMENTS_NEEDED: "warning",
    Account.INACTIVE: "danger",
    Account.SUSPENDED: "danger",
    Account.LIQUIDATE_ONLY: "warning",
    Account.CLOSED: "neutral",
}


def shown_status(application: Application) -> tuple[str, str]:
    """The status people look for, with its tone: the account's after approval, else the application's."""
    account = account_of(application)
    if application.status == Verdict.APPROVED and account is not None:
        return account.get_status_display(), TONES[account.status]
    if application.expired_at is not None:
        return "Expired", TONES[application.status]
    return application.get_status_display(), TONES[application.status]
