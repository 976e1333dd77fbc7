"""What is said of a paper besides its file: whose it is, which one, who issued it, until when it is valid.

One check for every way in, made before a byte of the file is sent and once more when it is taken.
"""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.core.exceptions import ValidationError

from onboarding import papers
from onboarding.models import Application, Owner
from onboarding.requirements import rules
from onboarding.requirements.documents import EXPIRING, OF_ENTITY, PERSONAL, sides_of
from onboarding.requirements.roles import has_entity
from onboarding.services.shared import locked_part
from onboarding.words_documents import DocumentType
from portal import clock, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User

Status = Application.Status
#: Papers are taken as long as there is, or may be, an account.
CLOSED = frozenset({Status.REJECTED, Status.WITHDRAWN})
DESCRIPTION_MAX = 300
#: The provider wants it in the description when KYC was approved by hand upon a paper (seed 000).
BY_HAND = "KYC was approved by hand on the strength of this paper."


@dataclass(frozen=True)
class PaperAnswers:
    """What an uploader says of one file. `owner_id` None is the company or trust itself; `country` is alpha-2.

    `description` and `by_hand` are for staff: they go to the provider in our name.
    """

    type: str
    side: str = "FRONT"
    owner_id: UUID | None = None
    country: str = "US"
    expires_on: date | None = None
    description: str = ""
    by_hand: bool = False


@dataclass(frozen=True)
class CheckedAnswers:
    """The same, found good, with the rows it names."""

    application: Application
    owner: Owner | None
    country: str
    description: str


@dataclass
class _Problems:
    fields: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, sentence: str) -> None:
        self.fields.setdefault(name, []).append(sentence)


def answers_checked(actor: User, application_id: UUID, given: PaperAnswers) -> CheckedAnswers:
    """Lock the application and hold the answers against it; call within a transaction.

    Raises NotFound for an application that is not the actor's, Forbidden for staff whose role does not allow it,
    Conflict when it takes no papers, and Invalid with every answer that does not hold, by field.
    """
    by_staff = actor.is_staff_member
    application = _locked_for_staff(actor, application_id) if by_staff else locked_part(actor, application_id)
    if application.status in CLOSED:
        raise Conflict("This application is closed and takes no more papers.")
    problems = _Problems()
    owner = _owner(problems, application, given.owner_id, actor)
    if "owner" not in problems.fields:
        check = _staff_type if by_staff else _asked_type
        check(problems, application, owner, given.type)
    if not problems.fields and given.side not in sides_of(given.type):
        problems.add(
            "side",
            "Say which side it shows."
            if len(sides_of(given.type)) > 1
            else "This paper has no back: send its front.",
        )
    _last_day(problems, given)
    country = _country(problems, given.country)
    description = _description(problems, actor, given)
    if problems.fields:
        raise Invalid("This paper cannot be taken yet.", fields=problems.fields)
    return CheckedAnswers(application, owner, country, description)


def _locked_for_staff(actor: User, application_id: UUID) -> Application:
    permissions.require(actor, "document.upload")
    application = Application.objects.select_for_update(of=("self",)).filter(pk=application_id).first()
    if application is None:
        raise NotFound("There is no such application.")
    return application


def _owner(problems: _Problems, application: Application, owner_id: UUID | None, actor: User) -> Owner | None:
    """Whose it is: of customers, the applicant uploads everything but the part that another owner took."""
    own_application = actor.is_staff_member or application.customer.user_id == actor.pk
    if owner_id is None:
        if not own_application:
            problems.add("owner", "Upload papers of your own.")
        return None
    owner = Owner.objects.filter(application=application, pk=owner_id).first()
    if owner is None or not (own_application or owner.user_id == actor.pk):
        problems.add("owner", "There is no such person in your part of this application.")
    elif not actor.is_staff_member and owner.fills_in_themselves and owner.user_id != actor.pk:
        problems.add("owner", "This person uploads their own papers.")
    return owner


def _asked_type(problems: _Problems, application: Application, owner: Owner | None, type: str) -> None:
    asked = papers.asked_of(application, [owner] if owner else [])
    whose = owner.pk if owner else None
    types = {kind for rule, of in asked if (of.pk if of else None) == whose for kind in rule.types}
    if type not in types:
        problems.add(
            "type",
            "Choose one of the papers we ask for."
            if types
            else "We ask for no papers here: none are needed.",
        )


def _staff_type(problems: _Problems, application: Application, owner: Owner | None, type: str) -> None:
    if type not in DocumentType.values:
        problems.add("type", "Choose one of the provider's types of paper.")
    elif owner is None and not has_entity(application.account_type):
        problems.add("owner", "Say whose paper it is: this account has no company or trust.")
    elif owner is None and type in PERSONAL:
        problems.add("owner", "This is a person's paper: say whose.")
    elif owner is not None and type in OF_ENTITY:
        problems.add("owner", "This is a paper of the company or trust, not of a person.")


def _last_day(problems: _Problems, given: PaperAnswers) -> None:
    if given.expires_on is None and given.type in EXPIRING:
        problems.add("expires_on", "Enter the last day on which it is valid. It is printed on it.")
    elif given.expires_on is not None and given.expires_on <= clock.now().date():
        problems.add("expires_on", "This paper has expired. Upload one that is valid.")


def _country(problems: _Problems, country: str) -> str:
    try:
        return rules.country(country)
    except ValidationError as error:
        for sentence in error.messages:
            problems.add("country", sentence)
        return ""


def _description(problems: _Problems, actor: User, given: PaperAnswers) -> str:
    """The description as it goes to the provider; what staff approved by hand stands first in it."""
    own = " ".join(given.description.split())
    if not own.isprintable():
        problems.add("description", "Use letters, digits and punctuation only.")
    if (own or given.by_hand) and not actor.is_staff_member:
        problems.add("description", "Only our staff describe papers.")
    if given.by_hand and not permissions.can_do(actor, "application.decide"):
        problems.add("by_hand", "Only who decides applications may say that KYC was approved by hand.")
    whole = f"{BY_HAND} {own}".strip() if given.by_hand else own
    most = DESCRIPTION_MAX - (len(BY_HAND) + 1 if given.by_hand else 0)
    if len(whole) > DESCRIPTION_MAX:
        problems.add("description", f"Use at most {most} characters; these are {len(own)}.")
    return whole
