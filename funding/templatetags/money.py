"""What other pages of the customer say of their money."""

from typing import Any

from django import template

from funding import notices, selectors
from portal.models import User

register = template.Library()
SHOWN = 3


@register.inclusion_tag("funding/customer/_waiting.html")
def money_waiting(user: User) -> dict[str, Any]:
    """What the customer was told about their money and has not read, and the way to it."""
    return {
        "has_account": selectors.accounts_of(user).exists(),
        "notices": [{"notice": row, "words": notices.words(row)} for row in notices.latest(user, SHOWN)],
    }
