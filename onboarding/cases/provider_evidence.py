"""What the page of a case about the provider's word shows, and the rows its decisions lock."""

from collections.abc import Sequence
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from onboarding import availability, party
from onboarding.jobs import lock_account
from onboarding.models import AccountHold, Application, Document, DocumentRequest, Owner, ProviderAccount
from portal.ui.time import moment_words


def evidence(case: Case) -> Sequence[kinds.Section]:
    account = ProviderAccount.objects.select_related("application").filter(pk=case.subject_id).first()
    if account is None:
        return ()
    return (_said(account, case), _people(account.application), *_papers(account.application))


def _said(account: ProviderAccount, case: Case) -> kinds.Section:
    """What the provider says, and what that means for the account's money."""
    application = account.application
    words = f"{account.party_status} {account.party_reason}".strip()
    read = moment_words(account.read_at) if account.read_at else "Not read yet"
    may = [use.label for use in availability.Use if not availability.can(None, use, account)]
    held = AccountHold.objects.filter(account=account, status=AccountHold.Status.STANDING).select_related(
        "put_by"
    )
    rows = [
        kinds.Row("The provider's words", words or "None yet"),
        kinds.Row("What they mean", party.REASONS.get(account.party_reason, "Not published")),
        kinds.Row("Heard", moment_words(account.heard_at) if account.heard_at else "Never"),
        kinds.Row(
            "Account", account.get_status_display(), reverse("staff:application", args=[application.pk])
        ),
        kinds.Row("Possible now", ", ".join(may) or "Nothing", reverse("staff:holds", args=[application.pk])),
        kinds.Row("The provider's copy", f"As read: {read}", reverse("staff:compare", args=[application.pk])),
        kinds.Row(
            "For the provider's operations",
            "What to send them",
            reverse("staff_requests:for_provider", args=[application.pk, case.pk]),
        ),
    ]
    rows += [
        kinds.Row("Our hold", f"{row.get_cause_display()}, {row.put_by}, {moment_words(row.put_at)}")
        for row in held.order_by("put_at")
    ]
    return kinds.Section("What the provider says", tuple(rows))


def _people(application: Application) -> kinds.Section:
    """Who is in the account, masked, to be compared with papers and lists."""
    owners = Owner.objects.filter(application=application).order_by("-is_applicant", "pk")
    return kinds.Section(
        "The people of the account",
        comparison=kinds.Comparison(
            ("Name", "Role", "Born", "Country", "Tax number"),
            tuple(
                (
                    row.full_name or "Not given",
                    str(row.get_role_display()),
                    str(row.date_of_birth or "Not given"),
                    str(row.country.name),
                    str(row.tax_id or "None"),
                )
                for row in owners[:20]
            ),
        ),
    )


def _papers(application: Application) -> list[kinds.Section]:
    files = Document.objects.filter(application=application).exclude(status=Document.Status.REPLACED)
    asked = DocumentRequest.objects.filter(application=application, status__in=DocumentRequest.LIVE)
    rows = [
        kinds.Row(
            f"{row.get_type_display()}, {row.get_side_display().lower()}",
            str(row.get_status_display()),
            reverse("staff:document", args=[application.pk, row.pk]),
        )
        for row in files.order_by("pk")[:20]
    ]
    page = reverse("staff_documents:papers", args=[application.pk])
    rows += [
        kinds.Row(
            row.title, f"Asked for, due {row.due_on.isoformat()}: {row.get_status_display().lower()}", page
        )
        for row in asked.defer("note").order_by("due_on")[:20]
    ]
    return [kinds.Section("Papers", tuple(rows))] if rows else []


def page(account_id: UUID) -> str:
    found = Application.objects.filter(account=account_id).values_list("pk", flat=True).first()
    return reverse("staff:application", args=[found]) if found else ""


def lock(account_id: UUID) -> None:
    """Every account of the customer, in the order of their keys: a hold may take them all."""
    customer = Application.objects.filter(account=account_id).values_list("customer", flat=True).first()
    mine = (
        Application.objects.filter(customer=customer).order_by("pk")
        if customer
        else Application.objects.none()
    )
    list(mine.select_for_update(of=("self",)).values_list("pk", flat=True))
    if ProviderAccount.objects.filter(pk=account_id).exists():
        lock_account(account_id)
