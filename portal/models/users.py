"""Users and their roles."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from portal import clock, ids


class Role(models.TextChoices):
    CUSTOMER = "customer", "Customer"
    ONBOARDING_AGENT = "onboarding_agent", "Onboarding agent"
    COMPLIANCE_ANALYST = "compliance_analyst", "Compliance analyst"
    COMPLIANCE_MANAGER = "compliance_manager", "Compliance manager"
    FUNDING_OPERATOR = "funding_operator", "Funding operator"
    AUDITOR = "auditor", "Auditor"
    ADMINISTRATOR = "administrator", "Administrator"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """A user with the e-mail in lower case; without a password the account cannot sign in by one."""
        user = self.model(email=email.strip().lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person who signs in: a customer, or staff in one role."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=32, choices=Role.choices, default=Role.CUSTOMER)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    #: Whether they have a strong second factor, where that was read with the row; None where nobody asked.
    strong_factor: bool | None = None

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
        ]
        # Customers stand in this table too, and are a thousand times as many.
        indexes = [
            models.Index(fields=["name", "id"], condition=~models.Q(role="customer"), name="staff_by_name")
        ]

    def __str__(self) -> str:
        return self.name or f"user {str(self.pk)[-8:]}"

    @property
    def is_staff_member(self) -> bool:
        """Whether this person works for the partner (every role but the customer's)."""
        return self.role != Role.CUSTOMER

    @property
    def label(self) -> str:
        """How the person is named in timelines: name and role, never the e-mail."""
        role = Role(self.role).label
        return f"{self.name} ({role})" if self.name else role
