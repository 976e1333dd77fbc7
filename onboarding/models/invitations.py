"""Invitations: a one-time link by which an owner of an account takes their own part of it."""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import models
from django.db.models import Q

from onboarding.models.owners import Owner
from portal import clock, ids

#: How long a link works.
INVITATION_LASTS = timedelta(days=7)


class InvitationState(StrEnum):
    OPEN = "open"
    EXPIRED = "expired"
    USED = "used"
    REVOKED = "revoked"


def token_hash(token: str) -> str:
    """What is kept of a link: enough to know it again, too little to follow it."""
    return hashlib.sha256(token.encode()).hexdigest()


def invitation_end() -> datetime:
    """When an invitation written now runs out."""
    return clock.now() + INVITATION_LASTS


class OwnerInvitation(models.Model):
    """A link sent to one owner's e-mail address. The link itself is kept nowhere, only its hash."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    owner = models.ForeignKey(Owner, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    sent_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField(default=invitation_end, editable=False)
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner"],
                name="owner_invitation_one_open",
                condition=Q(accepted_at=None, revoked_at=None),
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(revoked_at=None), name="owner_invitation_one_end"
            ),
        ]

    def __str__(self) -> str:
        return f"invitation {str(self.pk)[-8:]}"

    @property
    def state(self) -> InvitationState:
        """What the link is worth now."""
        if self.accepted_at is not None:
            return InvitationState.USED
        if self.revoked_at is not None:
            return InvitationState.REVOKED
        return InvitationState.OPEN if clock.now() < self.expires_at else InvitationState.EXPIRED
