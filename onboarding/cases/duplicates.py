"""A possible duplicate: somebody applies whose number, or name and birth date, another application holds already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from uuid import UUID

from django.db.models import Q, QuerySet

from compliance import kinds
from compliance import services as compliance
from compliance.models import Case
from onboarding import second_person
from onboarding.cases import asking, holding, traits
from onboarding.dossier import anchors, known
from onboarding.models import Application, Entity, ImportRow, Owner
from onboarding.requirements.roles import has_entity
from onboarding.words import AccountType
from portal import clock
from portal.composed import Composed, Question, Written
from portal.models import User
from portal.ui.addresses import address

KIND = "onboarding.duplicate"
#: An application that nobody handed in, or that was given up, is no account to be a duplicate of.
_COUNTED = (
    Application.Status.HELD,
    Application.Status.SUBMITTED,
    Application.Status.RECEIVED,
    Application.Status.CORRECTION_NEEDED,
    Application.Status.IN_REVIEW,
    Application.Status.ACTION_REQUIRED,
    Application.Status.APPROVED,
)
#: So many are shown; more say nothing more.
MOST = 20


@dataclass(frozen=True)
class Twin:
    """Another application that holds the same person or company, and by what it was found."""

    application: Application
    why: str


def find(application: Application, owners: Sequence[Owner] | None = None) -> list[Twin]:
    """Applications that seem to be of the same person or company; none once a person cleared this one. `owners` are
    its people, if they are known.

    The same customer may open accounts of several types: only a second individual account of theirs counts.
    """
    if application.cleared_at is not None:
        return []
    found: dict[UUID, Twin] = {}
    if owners is None:
        owners = list(Owner.objects.filter(application=application))
    numbers, people = _indexes(owners)
    same_number, same_person = _held_by(application, numbers, people)
    if same_number:
        for other in _others(application, "owners__tax_id_index", numbers):
            found.setdefault(other.pk, Twin(other, "Same tax number"))
    has_one = has_entity(application.account_type)
    entity = Entity.objects.filter(application=application).first() if has_one else None
    if entity is not None and entity.tax_id_index:
        for other in _others(application, "entity__tax_id_index", [entity.tax_id_index]):
            found.setdefault(other.pk, Twin(other, "Same number of the company"))
    namesakes = _others(application, "owners__person_index", people) if same_person else []
    told_apart = _told_apart(application, namesakes)
    for other in namesakes:
        if other.pk not in told_apart:
            found.setdefault(other.pk, Twin(other, "Same name and birth date"))
    return list(found.values())[:MOST]


def _indexes(owners: Sequence[Owner]) -> tuple[list[str], list[str]]:
    """The indexes of the people's numbers, and of their names with birth dates."""
    numbers = [index for owner in owners if (index := owner.tax_id_index)]
    return numbers, [owner.person_index for owner in owners if owner.person_index]


def _held_by(application: Application, numbers: list[str], people: list[str]) -> tuple[bool, bool]:
    """Whether any other application holds one of the numbers, and one of the people: asked briefly, as mostly none
    does."""
    ((same_number, same_person),) = _HELD_BY(numbers=numbers, people=people, mine=application.pk)
    return same_number, same_person


_HELD_BY = Written("""
SELECT EXISTS (SELECT FROM onboarding_owner WHERE tax_id_index = ANY(%(numbers)s) AND application_id <> %(mine)s),
 EXISTS (SELECT FROM onboarding_owner WHERE person_index = ANY(%(people)s) AND application_id <> %(mine)s)""")


def _told_apart(application: Application, namesakes: Sequence[Application]) -> set[UUID]:
    """Those of whom staff said at the import that it is somebody else: of the same file, or there by then."""
    if not namesakes:
        return set()
    told = {
        row.application_id: row
        for row in ImportRow.objects.filter(
            application__in=[application, *namesakes], verdict=ImportRow.Verdict.OTHER
        ).defer("cells")
    }
    return {
        other.pk
        for other in namesakes
        for one, another in ((application, other), (other, application))
        if (row := told.get(one.pk)) is not None
        and row.verdict_at is not None
        and (another.batch_id == row.batch_id or another.created_at <= row.verdict_at)
    }


def _others(application: Application, index: str, values: list[str]) -> list[Application]:
    """Other applications that count and hold one of these values of the index."""
    return list(_others_of(application, index)(application.customer_id, application.pk, values))


def _others_of(application: Application, index: str) -> Composed[Application]:
    return _others_by(index, application.account_type == AccountType.INDIVIDUAL)


@cache
def _others_by(index: str, is_individual: bool) -> Composed[Application]:
    def compose(customer: UUID, mine: UUID, value: str) -> QuerySet[Application]:
        theirs = ~Q(customer=customer)
        if is_individual:
            theirs |= Q(account_type=AccountType.INDIVIDUAL)
        rows = Application.objects.filter(theirs, status__in=_COUNTED).exclude(pk=mine)
        return rows.filter(**{f"{index}__in": [value]}).distinct().order_by("pk")[:MOST]

    return Composed(compose, UUID, UUID, str)


def open_case(application: Application, twins: Sequence[Twin], *, actor: User, source: str) -> None:
    """Ask a person, naming each other application once."""
    for twin in twins:
        compliance.case_open(
            kind=KIND,
            subject=_subject(application),
            title=f"{twin.why} as {twin.application.reference}",
            facts={"other": twin.application.reference, "why": twin.why},
            source=source,
            dedupe=f"application:{twin.application.pk}:{application.version}",
            actor=actor,
        )


def settle(application: Application, reason: str, *, source: str) -> None:
    """There is nothing to decide any more."""
    compliance.case_settle(kind=KIND, subject=_subject(application), reason=reason, source=source)


def _subject(application: Application) -> compliance.Subject:
    owner = Owner.objects.get(application=application, is_applicant=True)
    return compliance.Subject.of(application, f"{owner.full_name}, {application.reference}")


# --- On the case page ---------------------------------------------------------------------------------------


def _evidence(case: Case) -> Sequence[kinds.Section]:
    application, people = known.application_of(case), known.owners_of(case)
    if application is None:
        return []
    twins = find(application, people) or _named(case)
    owner = next(person for person in people if person.is_applicant)
    applicants = _APPLICANTS([twin.application.pk for twin in twins]) if twins else []
    others = {other.application_id: other for other in applicants}
    sections = []
    for twin in twins:
        other = others[twin.application.pk]
        rows = tuple(
            (label, ours, theirs)
            for label, ours, theirs in (
                ("Name", owner.full_name, other.full_name),
                ("Birth date", owner.date_of_birth or "", other.date_of_birth or ""),
                ("Tax number", owner.tax_id or "", other.tax_id or ""),
                ("E-mail", owner.email, other.email),
                ("Phone", owner.phone, other.phone),
                ("Country", str(owner.country), str(other.country)),
                ("Status", application.get_status_display(), twin.application.get_status_display()),
            )
        )
        sections.append(
            kinds.Section(
                f"{twin.why}: {twin.application.reference}",
                rows=(
                    kinds.Row(
                        "The other application",
                        twin.application.reference,
                        address("staff:application", twin.application.pk),
                    ),
                ),
                comparison=kinds.Comparison(
                    ("Field", "This application", twin.application.reference),
                    rows,
                    frozenset(at for at, (_, ours, theirs) in enumerate(rows) if ours != theirs),
                ),
            )
        )
    return sections


def _asks(case: Case) -> Sequence[Question]:
    """What `_evidence` asks first: who holds the same number, or is of the same name and birth date."""
    application, owners = known.application_of(case), known.owners_of(case)
    if application is None or application.cleared_at is not None:
        return []
    numbers, people = _indexes(owners)
    mine = application.customer_id, application.pk
    return [
        _HELD_BY.of(numbers=numbers, people=people, mine=application.pk),
        *([_others_of(application, "owners__tax_id_index").of(*mine, numbers)] if numbers else []),
        *([_others_of(application, "owners__person_index").of(*mine, people)] if people else []),
    ]


_APPLICANTS = Composed(lambda key: Owner.objects.filter(application__in=[key], is_applicant=True))


def _named(case: Case) -> list[Twin]:
    """The applications the case named when it was opened, for a case that was decided."""
    references = {fact.evidence.get("other"): fact.evidence.get("why", "") for fact in case.facts.all()}
    rows = Application.objects.filter(reference__in=[reference for reference in references if reference])
    return [Twin(row, references[row.reference]) for row in rows]


def _page(subject_id: UUID) -> str:
    return address("staff:application", subject_id)


def _lock(subject_id: UUID) -> None:
    Application.objects.select_for_update().filter(pk=subject_id).first()


def _release(ruling: kinds.Ruling) -> str:
    from onboarding import services  # noqa: PLC0415  the services open the case

    application = Application.objects.select_for_update().get(pk=ruling.case.subject_id)
    application.cleared_at = clock.now()
    application.save(update_fields=["cleared_at"])
    services.pass_on(application, actor=ruling.actor, source="case")
    return "The application was passed on to the provider."


def _refuse(ruling: kinds.Ruling) -> str:
    from onboarding import notices  # noqa: PLC0415

    application = Application.objects.select_for_update().get(pk=ruling.case.subject_id)
    application.move_to(
        Application.Status.REJECTED,
        actor=ruling.actor,
        reason="Not opened: an account exists already.",
        source="case",
    )
    notices.application_rejected(application)
    return "The application was refused and the customer told."


kind = kinds.CaseKind(
    name=KIND,
    title="Possible duplicate",
    purpose="Somebody applies who may have an account already. Find out whether it is the same person or company.",
    checklist=(
        kinds.CheckItem("compared", "Both applications compared, line by line"),
        kinds.CheckItem("asked", "Where it stays unclear: customer asked"),
    ),
    decisions=(
        kinds.Decision(
            "other",
            "Somebody else: pass it on",
            "The application goes to the provider now.",
            effect=_release,
            reasons={
                "namesake": "Same name by chance",
                "typing": "Number mistyped elsewhere",
                "allowed": "A second account is allowed",
            },
            verdict="approved",
        ),
        kinds.Decision(
            "same",
            "The same: refuse",
            "The application is refused; the customer is told that it could not be opened.",
            effect=_refuse,
            reasons={
                "has_account": "Has an account",
                "second_try": "Second try after a refusal",
                "fraud": "Someone else's identity",
            },
            verdict="refused",
        ),
    ),
    evidence=_evidence,
    asks=_asks,
    subject_url=_page,
    anchor=anchors.of_case,
    ask_url=asking.page,
    tell_held=holding.tells("Your application"),
    lock=_lock,
    ruled_out=second_person.about((Application, "")),
    traits=traits.of_application,
    due_after=timedelta(days=1),
)
