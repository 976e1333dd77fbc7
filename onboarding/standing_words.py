"""What the customer reads about where an application stands (onboarding/standing.py says which of it holds)."""

from onboarding.models import Application, ProviderAccount
from onboarding.told import Standing

Verdict = Application.Status
Account = ProviderAccount.Status

DRAFT = Standing(
    "Your application is not finished",
    ("Your answers are saved. Go on where you left off, on any device.",),
    "info",
    "continue_application",
    "Continue the application",
    True,
)
WAITING = Standing(
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
STUCK = Standing(
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
RESCREENING = Standing(
    "Your identity check is being looked at again",
    (
        "Your account could not be opened so far. The check that was made of you before has been shared again.",
        "You can close this page: we write to you as soon as your account is open. If it cannot be, this page says so.",
    ),
    "info",
    "wait",
    "Nothing to do now",
    False,
    60,
)
CHANGE_STUCK = (
    "Something could not be passed on to the provider so far. A person of ours looks at it; you do not need to do "
    "anything now."
)
NOT_PASSED_ON = (
    "We could not pass your application on to the provider, so the account could not be opened. "
    "This says nothing about you.",
    "Write to us if you have questions, or start a new application whenever you like.",
)
PAPERS = Standing(
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
HELD = Standing(
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
CORRECT = Standing(
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
REVIEW = Standing(
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

PAUSED = "We have paused deposits, withdrawals and trades ourselves as well."
HELD_BY_US = Standing(
    "Your account is paused",
    (
        "We have paused deposits, withdrawals and trades while a person of ours looks at the account. What it holds "
        "stays in it.",
        "Write to us and we tell you what can be said and what happens next.",
    ),
    "warning",
    "contact_support",
    "Write to support",
    True,
    60,
)

REJECTED: dict[str, tuple[str, ...]] = {
    "RISK_KYC": (
        "The details you entered could not be matched to official records, so the account could not be opened.",
        "If something was mistyped or your name or address changed lately, write to us: we can look at it with you.",
    ),
    "TAX_ID_MAX_RETRIES": (
        "Your tax number could not be verified, so the account could not be opened.",
        "Check the number on your card or letter and write to us if it differs from what you entered.",
    ),
}
REJECTED_OTHERWISE = (
    "The checks the law asks for did not allow this account to be opened.",
    "We cannot give the reason here. Write to us if you have questions; a person will answer.",
)

AFTER: dict[str, Standing] = {
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
    Account.UNDER_REVIEW: REVIEW,
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
