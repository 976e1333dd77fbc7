"""Who is signed in, as every page reads them: allauth's backend, with the second factor asked in the same query."""

from typing import Any
from uuid import UUID

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import Exists, OuterRef

from portal.auth.factors import strong_of
from portal.composed import Composed
from portal.models import User

_PERSON = Composed(
    lambda key: User.objects.filter(pk=key).annotate(
        strong_factor=Exists(strong_of(OuterRef("pk")))  # type: ignore[no-redef]
    )
)


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """Signs people in as allauth does."""

    def get_user(self, user_id: UUID) -> Any:
        """The person of the session, unless they were switched off."""
        user = _PERSON.first(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None
