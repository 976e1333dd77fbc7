"""The malware scan found something in an uploaded file."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance import services as compliance
from compliance.models import Case
from onboarding import second_person
from onboarding.cases import traits
from onboarding.dossier import anchors
from onboarding.models import Application, Document, ProviderAccount

KIND = "onboarding.quarantine"
#: Opens what is held back and may let it go on.
PERMISSION = "document.quarantine"


def subject_of(document: Document) -> compliance.Subject:
    """The document as its case is about it."""
    return compliance.Subject.of(document, f"{document.get_type_display()}, {document.application.reference}")


def settle(document: Document, reason: str, *, source: str) -> None:
    """There is nothing to decide any more."""
    compliance.case_settle(kind=KIND, subject=subject_of(document), reason=reason, source=source)


def _evidence(case: Case) -> Sequence[kinds.Section]:
    document = (
        Document.objects.select_related("application", "uploaded_by").filter(pk=case.subject_id).first()
    )
    if document is None:
        return ()
    file = reverse("staff:document_quarantined", args=[document.pk])
    return (
        kinds.Section(
            "The file",
            (
                kinds.Row("What the scanner calls it", document.scan_found),
                kinds.Row("Paper", str(document)),
                kinds.Row("Kind of file", document.get_content_type_display()),
                kinds.Row("Size", f"{document.size:,} bytes"),
                kinds.Row("SHA-256", document.sha256),
                kinds.Row("Uploaded by", document.uploaded_by.label),
                kinds.Row("Download it, on a machine made for that", "Compliance managers only", file),
            ),
        ),
    )


def _page(subject_id: UUID) -> str:
    found = Document.objects.filter(pk=subject_id).values_list("application", flat=True).first()
    return reverse("staff:application", args=[found]) if found else ""


def _lock(subject_id: UUID) -> None:
    """Application, account, document: the order of whoever checks or replaces it."""
    Application.objects.select_for_update(of=("self",)).filter(documents=subject_id).first()
    accounts = ProviderAccount.objects.select_for_update(of=("self",))
    accounts.filter(application__documents=subject_id).first()
    Document.objects.select_for_update().filter(pk=subject_id).first()


def _release(ruling: kinds.Ruling) -> str:
    from onboarding.services import quarantine  # noqa: PLC0415  the services import what opens the case

    quarantine.release(ruling.case.subject_id, actor=ruling.actor)
    return "The file goes on; it is not scanned again."


def _refuse(ruling: kinds.Ruling) -> str:
    from onboarding.services import quarantine  # noqa: PLC0415

    quarantine.refuse(ruling.case.subject_id, actor=ruling.actor)
    return "The file stays locked away; the customer was asked for another one."


kind = kinds.CaseKind(
    name=KIND,
    title="File held back by the malware scan",
    purpose=(
        "The scanner found something in a customer's file. Nobody can open it and the provider does not get it. "
        "The customer was told and may upload another one, which ends this case."
    ),
    checklist=(
        kinds.CheckItem("customer", "Looked whether the customer's other files are clean"),
        kinds.CheckItem(
            "looked_up", "What the scanner found looked up: known malware, or a known false alarm"
        ),
    ),
    decisions=(
        kinds.Decision(
            "release",
            "False alarm: release",
            "The file goes on as if nothing had been found.",
            effect=_release,
            reasons={"known": "A known false alarm of the scanner", "checked": "Checked by other means"},
            needs_text=True,
            permission=PERMISSION,
            verdict="approved",
        ),
        kinds.Decision(
            "refuse",
            "Refuse and ask for another",
            "The file stays locked away. The customer gets a letter that asks for another one.",
            effect=_refuse,
            reasons={
                "malware": "Malware",
                "doubt": "Not certain: better another file",
                "wrong": "No such paper at all",
            },
            verdict="refused",
        ),
    ),
    evidence=_evidence,
    subject_url=_page,
    anchor=anchors.of_case,
    lock=_lock,
    traits=traits.of_document,
    ruled_out=second_person.about((Document, "application")),
    due_after=timedelta(days=1),
)
