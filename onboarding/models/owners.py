"""The people of an application and what is asked of them."""

from datetime import date
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django_countries.fields import CountryField

from onboarding import words
from onboarding.models.applications import Application
from onboarding.models.entities import Entity, TrustedContact
from portal import ids
from portal.sealed import BlindIndexField, SealedDateField, SealedTextField, blind_index


class Owner(models.Model):
    """One person of an account. Answers may be missing while the application is a draft.

    The owner's id is the clientOwnerId that tells owners apart at the provider (seed 000).
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="owners")
    role = models.CharField(
        max_length=24, choices=words.OwnerRole.choices, default=words.OwnerRole.PRIMARY_OWNER
    )
    #: Who fills the application in, and whose login it is. Exactly one owner of an application.
    is_applicant = models.BooleanField(default=False)
    #: The login of an owner who takes part on their own; the applicant's is the application's customer.
    user = models.ForeignKey(
        "portal.User", on_delete=models.PROTECT, null=True, blank=True, related_name="ownerships"
    )
    #: Where the person lives: it decides what they are asked.
    country = CountryField(default="US")
    #: Of a company: who controls it, and the share each holds.
    is_control_person = models.BooleanField(default=False)
    ownership_percent = models.PositiveSmallIntegerField(null=True, blank=True)
    given_name = models.CharField(max_length=100, blank=True)
    middle_names = models.CharField(max_length=100, blank=True)
    family_name = models.CharField(max_length=100, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    phone = models.CharField(max_length=16, blank=True)
    date_of_birth = SealedDateField(null=True, blank=True)
    tax_id = SealedTextField(null=True, blank=True, mask="tax_id")
    tax_id_index = BlindIndexField(source="tax_id", normalise="alphanumeric")
    #: Of the last four alone: 10,000 values, so the key is all that protects it (docs/decisions/0002).
    tax_id_last4 = BlindIndexField(source="tax_id", normalise="last_four", db_default="")
    #: Keyed hash of name and birth date, empty while one is missing: the same person in another application.
    person_index = models.CharField(max_length=64, blank=True, editable=False, db_index=True)
    tax_id_type = models.CharField(max_length=12, choices=words.TaxIdType.choices, blank=True)
    #: ISO alpha-2 of the country that issued a national number.
    tax_id_country = models.CharField(max_length=2, blank=True)
    no_tax_id_reason = models.CharField(max_length=16, choices=words.NoTaxId.choices, blank=True)
    marital_status = models.CharField(max_length=12, choices=words.MaritalStatus.choices, blank=True)
    #: Whether letters go to the home address; if not, there is an Address of kind mailing.
    mailing_same_as_home = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application"], name="owner_one_applicant", condition=Q(is_applicant=True)
            ),
            models.UniqueConstraint(
                fields=["application"],
                name="owner_one_primary",
                condition=Q(role=words.OwnerRole.PRIMARY_OWNER),
            ),
            models.UniqueConstraint(fields=["application", "user"], name="owner_one_part_each"),
            models.UniqueConstraint(
                fields=["application"], name="owner_one_in_control", condition=Q(is_control_person=True)
            ),
            models.CheckConstraint(
                condition=Q(ownership_percent=None) | Q(ownership_percent__range=(0, 100)),
                name="owner_percent_possible",
            ),
            models.CheckConstraint(condition=Q(role__in=words.OwnerRole.values), name="owner_role_known"),
        ]
        indexes = [
            models.Index(fields=["phone"], name="owner_phone", condition=~Q(phone="")),
            models.Index(Lower("email"), name="owner_email", condition=~Q(email="")),
        ]

    def __str__(self) -> str:
        return f"owner {str(self.pk)[-8:]}"

    def index_person(self) -> None:
        """Bring the hash of name and birth date in step with them; save() does, bulk_create does not."""
        self.person_index = self._person_index()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the hash of name and birth date in step with them."""
        self.index_person()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "person_index"}
        super().save(*args, **kwargs)

    def _person_index(self) -> str:
        if not (self.given_name and self.family_name and self.date_of_birth):
            return ""
        return self.person_hash(self.given_name, self.family_name, self.date_of_birth.reveal())

    @staticmethod
    def person_hash(given_name: str, family_name: str, born: date) -> str:
        """Under which a person of this name and birth date is found."""
        return blind_index(
            "onboarding.owner.person", f"{given_name}|{family_name}|{born.isoformat()}", "casefold"
        )

    @property
    def fills_in_themselves(self) -> bool:
        """Whether somebody else than the applicant has taken this part: theirs to see and to change alone."""
        return not self.is_applicant and self.user_id is not None

    @property
    def full_name(self) -> str:
        """Given, middle and family names with single spaces; empty while unknown."""
        return " ".join(part for part in (self.given_name, self.middle_names, self.family_name) if part)


class Address(models.Model):
    """An address of an owner, an entity or a trusted contact: of exactly one of them."""

    class Kind(models.TextChoices):
        RESIDENTIAL = "residential", "Home"
        MAILING = "mailing", "Mailing"
        EMPLOYER = "employer", "Employer"
        REGISTERED = "registered", "Registered"
        OPERATING = "operating", "Operating"
        CONTACT = "contact", "Contact"

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    owner = models.ForeignKey(Owner, on_delete=models.CASCADE, null=True, related_name="addresses")
    entity = models.ForeignKey(Entity, on_delete=models.CASCADE, null=True, related_name="addresses")
    trusted_contact = models.ForeignKey(
        TrustedContact, on_delete=models.CASCADE, null=True, related_name="addresses"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    street_lines = ArrayField(models.CharField(max_length=100), size=3)
    city = models.CharField(max_length=100)
    state = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = CountryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "entity", "trusted_contact", "kind"],
                name="address_one_per_kind",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["residential", "mailing", "employer"],
                    owner__isnull=False,
                    entity=None,
                    trusted_contact=None,
                )
                | Q(
                    kind__in=["registered", "operating"],
                    owner=None,
                    entity__isnull=False,
                    trusted_contact=None,
                )
                | Q(kind="contact", owner=None, entity=None, trusted_contact__isnull=False),
                name="address_of_one",
            ),
        ]
        indexes = [
            models.Index(Lower("street_lines__0"), "postal_code", "country", name="address_same_place"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} address"

    @property
    def one_line(self) -> str:
        """The address on one line, for summaries."""
        place = " ".join(part for part in (self.state, self.postal_code) if part)
        return ", ".join(part for part in (*self.street_lines, self.city, place, self.country.name) if part)


class Employment(models.Model):
    """What an owner does for a living; the employer's address is an Address of kind employer."""

    owner = models.OneToOneField(Owner, primary_key=True, on_delete=models.CASCADE, related_name="employment")
    situation = models.CharField(max_length=16, choices=words.EmploymentSituation.choices)
    employer_name = models.CharField(max_length=100, blank=True)
    position = models.CharField(max_length=100, blank=True)
    years_employed = models.PositiveSmallIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return self.get_situation_display()

    @property
    def has_employer(self) -> bool:
        """Whether an employer (possibly oneself) is asked for."""
        return self.situation in {words.EmploymentSituation.EMPLOYED, words.EmploymentSituation.SELF_EMPLOYED}


class InvestmentProfile(models.Model):
    """Goals and finances of the account (contract 4.2: accountGoals and customerProfile)."""

    application = models.OneToOneField(
        Application, primary_key=True, on_delete=models.PROTECT, related_name="investment_profile"
    )
    investment_objective = models.CharField(max_length=24, choices=words.InvestmentObjective.choices)
    annual_income_range = models.CharField(max_length=20, choices=words.UsdRange.choices)
    liquidity_needs = models.CharField(max_length=24, choices=words.LiquidityNeeds.choices, blank=True)
    risk_tolerance = models.CharField(max_length=12, choices=words.RiskTolerance.choices, blank=True)
    time_horizon = models.CharField(max_length=12, choices=words.TimeHorizon.choices, blank=True)
    liquid_net_worth_range = models.CharField(max_length=20, choices=words.UsdRange.choices, blank=True)
    total_net_worth_range = models.CharField(max_length=20, choices=words.UsdRange.choices, blank=True)
    investment_experience = models.CharField(
        max_length=12, choices=words.InvestmentExperience.choices, blank=True
    )
    federal_tax_bracket = models.PositiveSmallIntegerField(null=True, blank=True)
    source_of_funds = models.CharField(max_length=100, blank=True)
    #: Ours, not sent: the provider does not ask it.
    expected_monthly_deposits = models.CharField(
        max_length=20, choices=words.MonthlyDeposits.choices, blank=True, default=""
    )

    def __str__(self) -> str:
        return f"investment profile of {self.application_id}"
