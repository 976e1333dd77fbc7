"""Who else has the same bank account: of the ways in which the page of a case links two customers.

Two share it when a wire recipient of each has the same routing and account number, or when Plaid says that the banks
they linked are one account. What was removed or unlinked since counts as well: money may have gone there.

**Assumed:** where Plaid gives `persistent_account_id` (Chase, PNC and US Bank alone; contract plaid.md, section 3) it
is one for one account, in whoever's login. So two who linked one account elsewhere are not found, nor is an account
that one linked and another wires to: of a linked account nobody here learns the numbers.
"""

from compliance.dossier import Weight
from funding.permissions import VIEW
from onboarding.dossier import sharing

#: Of each kind so many of one's own, the newest, are looked at.
MOST_OWN = 10

_OWN = """(SELECT {0} AS value FROM {1} WHERE NOT {0} = ''
 AND account_id = (SELECT id FROM onboarding_provideraccount WHERE application_id = %(mine)s)
 ORDER BY id DESC LIMIT {most})"""
_HAVE = """(SELECT a.application_id FROM {1} b JOIN onboarding_provideraccount a ON a.id = b.account_id
 WHERE b.{0} = v.value AND NOT b.{0} = '' AND a.application_id <> %(mine)s LIMIT {read})"""
_VALUES = "unnest(ARRAY(SELECT DISTINCT value FROM ({}) n)) WITH ORDINALITY AS v(value, place)"
_PLACES = (("numbers_index", "funding_wirerecipient"), ("same_account", "funding_linkedbank"))


def _of_both(sql: str) -> str:
    return " UNION ALL ".join(sql.format(*place, most=MOST_OWN, read=sharing.READ) for place in _PLACES)


#: Two of one account know each other; two of one device may be strangers in a library.
WAY = sharing.Way(
    "bank",
    _of_both(_HAVE),
    32,
    own=_VALUES.format(_of_both(_OWN)),
    words="Same bank account",
    weight=Weight.MEDIUM,
    permission=VIEW,
)
