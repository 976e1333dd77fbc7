"""The company or trust that holds an account, and the person a customer lets us ask after them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from onboarding import words
from onboarding.models.applications import Application
from portal import ids
from portal.sealed import BlindIndexField, SealedTextField


def _range() -> "models.CharField[str, str]":
    return models.CharField(max_length=20, choices=words.EntityUsdRange.choices, blank=True)


class Entity(models.Model):
    """A company or trust (contract 4.4). Its kind is the application's; its addresses are of kind registered
    and operating."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="entity")
    legal_name = models.CharField(max_length=100, blank=True)
    tax_id = SealedTextField(null=True, blank=True, mask="tax_id")
    tax_id_index = BlindIndexField(source="tax_id", normalise="alphanumeric")
    #: Of the last four alone: 10,000 values, so the key is all that protects it (docs/decisions/0002).
    tax_id_last4 = BlindIndexField(source="tax_id", normalise="last_four", db_default="")
    formation_date = models.DateField(null=True, blank=True)
    registration_status = models.CharField(
        max_length=24, choices=words.RegistrationStatus.choices, blank=True
    )
    email = models.EmailField(max_length=254, blank=True)
    phone = models.CharField(max_length=16, blank=True)
    operating_industry = models.CharField(max_length=100, blank=True)
    offerings = models.CharField(max_length=500, blank=True)
    operating_countries = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    subject_to_aml = models.BooleanField(default=False)
    source_of_funds = models.CharField(max_length=200, blank=True)
    source_of_currency = models.CharField(max_length=200, blank=True)
    investment_objective = models.CharField(
        max_length=24, choices=words.InvestmentObjective.choices, blank=True
    )
    investment_experience = models.CharField(
        max_length=12, choices=words.InvestmentExperience.choices, blank=True
    )
    annual_net_income = _range()
    liquid_net_worth = _range()
    total_net_worth = _range()
    daily_transaction_volume = _range()
    daily_trading_volume = _range()
    #: The applicant's word that nobody holds 25 % or more.
    no_beneficial_owners = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "entities"
        indexes = [
            models.Index(fields=["phone"], name="entity_phone", condition=~Q(phone="")),
            models.Index(Lower("email"), name="entity_email", condition=~Q(email="")),
        ]

    def __str__(self) -> str:
        return f"entity {str(self.pk)[-8:]}"


class TrustedContact(models.Model):
    """An adult the customer lets us contact about them; has no say over the account (contract 4.2)."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="trusted_contact")
    given_name = models.CharField(max_length=100)
    middle_names = models.CharField(max_length=100, blank=True)
    family_name = models.CharField(max_length=100)
    email = models.EmailField(max_length=254, blank=True)
    phone = models.CharField(max_length=16, blank=True)

    def __str__(self) -> str:
        return f"trusted contact {str(self.pk)[-8:]}"
