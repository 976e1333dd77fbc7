"""A login at a bank that Plaid may hold though nobody has its token: Plaid's team ends it, on being asked."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from funding import lost_logins
from funding.cases import evidence
from funding.locking import lock_login
from funding.models import BankLogin, LinkedBank
from onboarding import second_person
from onboarding.cases import traits
from onboarding.dossier import anchors
from portal.ui.time import moment_words


def _login(subject_id: UUID) -> BankLogin | None:
    rows = BankLogin.objects.select_related("account", "session").defer("access_token", "accounts")
    return rows.filter(pk=subject_id).first()


def _evidence(case: Case) -> Sequence[kinds.Section]:
    login = _login(case.subject_id)
    if login is None:
        return ()
    asked = login.exchange_asked_at
    since = LinkedBank.objects.filter(account=login.account, created_at__gt=login.created_at).first()
    section = kinds.Section(
        "To ask Plaid with",
        (
            kinds.Row("User id that Plaid knows", str(login.account_id), _page(login.pk)),
            kinds.Row("Link opened", moment_words(login.session.created_at)),
            kinds.Row("Exchange asked for", moment_words(asked) if asked else "Not known"),
            kinds.Row("Linked since by the customer", str(since) if since else "No bank"),
        ),
    )
    return [section, *evidence.calls_of(login.pk, {})]


def _page(subject_id: UUID) -> str:
    login = _login(subject_id)
    return reverse("funding_staff:bank", args=[login.account_id]) if login else ""


def _anchor(case: Case) -> kinds.Anchor | None:
    login = _login(case.subject_id)
    return kinds.Anchor(anchors.APPLICATION, login.account.application_id) if login else None


def _traits(subject_id: UUID) -> kinds.Traits:
    login = _login(subject_id)
    return traits.of_account(login.account_id) if login else kinds.Traits()


def _lock(subject_id: UUID) -> None:
    lock_login(subject_id)


kind = kinds.CaseKind(
    name=lost_logins.KIND,
    title="Login left at Plaid",
    purpose="A public token works once, and the answer to its exchange was lost. If Plaid did exchange it, it holds a "
    "login at the customer's bank that we can neither use nor end. Nothing was linked, and the customer was asked to "
    "link anew.",
    checklist=(kinds.CheckItem("asked", "Asked Plaid's support, with the user id and the time"),),
    decisions=(
        kinds.Decision(
            "ended", "Plaid ended it", "Say who at Plaid, and when.", needs_text=True, verdict="approved"
        ),
        kinds.Decision(
            "none",
            "There is none",
            "Plaid never exchanged the token, or the customer ended the login.",
            needs_text=True,
            verdict="approved",
        ),
    ),
    evidence=_evidence,
    subject_url=_page,
    anchor=_anchor,
    lock=_lock,
    traits=_traits,
    ruled_out=second_person.about((BankLogin, "account__application")),
    priority=Case.Priority.LOW,
    due_after=timedelta(days=5),
)
