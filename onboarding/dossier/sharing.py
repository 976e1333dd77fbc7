"""With whom an application shares a number, an address or a way in: by index, a fixed number of queries.

What more than COMMON others share (an office, a family's router at a carrier) says nothing of two of them: it is named
and not followed. So a value that half the customers have costs as much as one that two have.

Other apps register what they know of that may be shared (`register`), and it is asked in the same query.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from compliance.dossier import Weight
from onboarding.dossier.known import Known
from onboarding.models import Address, Entity, Owner
from portal import clock
from portal.composed import Question, Written, asked
from portal.models import User
from portal.permissions import can_do

COMMON = 20
#: Sign-ins before that, and more than so many addresses and devices of one's own, are not looked at.
SIGNED_IN_WITHIN = timedelta(days=90)
MOST_SIGN_INS = 10
#: So many rows are read of each value: what more share is told from a few.
READ = 10 * COMMON
_MOST = COMMON + 1


@dataclass(frozen=True)
class Way:
    """One thing that may be shared: where it stands, as SQL that gives the applications of `v.value` but `mine`."""

    code: str
    sql: str
    #: Counts for so much when the links are put in order.
    strength: int
    #: The application's own values, as SQL that gives them as `v.value` and each its `v.place` from 1 on. Empty: they
    #: come with the question. What is not known before that costs no question of its own so.
    own: str = ""
    #: What is shared, in words for all its values. Empty: each value has its own.
    words: str = ""
    #: How much it speaks for a risk, of a way that is registered; signals.py weighs the others.
    weight: Weight = Weight.LOW
    #: Who sees it; empty: whoever sees the case.
    permission: str = ""


@dataclass
class Shared:
    """What is shared: by application the things in words, and what too many share."""

    by_application: dict[UUID, dict[str, str]] = field(default_factory=dict)
    common: list[str] = field(default_factory=list)

    def of_way(self, code: str) -> list[UUID]:
        """The applications that share this kind of thing."""
        return [key for key, things in self.by_application.items() if code in things]


_OWNER_OR_ENTITY = """
 SELECT application_id FROM onboarding_owner WHERE {0} = v.value AND {1} AND application_id <> %(mine)s UNION ALL
 SELECT application_id FROM onboarding_entity WHERE {0} = v.value AND {1} AND application_id <> %(mine)s"""
SAME_LOGIN = Way(
    "login",
    """SELECT a.id AS application_id FROM onboarding_application a JOIN onboarding_customer c ON c.id = a.customer_id
 WHERE c.user_id = v.value::uuid AND a.id <> %(mine)s
 UNION ALL SELECT application_id FROM onboarding_owner WHERE user_id = v.value::uuid AND application_id <> %(mine)s""",
    256,
)
TAX_NUMBER = Way("tax", _OWNER_OR_ENTITY.format("tax_id_index", "tax_id_index <> ''"), 128)
PERSON = Way(
    "person",
    "SELECT application_id FROM onboarding_owner WHERE person_index = v.value AND application_id <> %(mine)s",
    64,
)
_SIGNED_IN = """SELECT p.id AS application_id FROM (SELECT DISTINCT actor_id FROM (
 SELECT e.actor_id FROM portal_auditentry e WHERE e.action = 'auth.login' AND {} AND e.at >= %(since)s LIMIT {read}) n
 WHERE actor_id <> ALL(%(logins)s)) l
 JOIN onboarding_customer c ON c.user_id = l.actor_id
 JOIN LATERAL (SELECT id FROM onboarding_application WHERE customer_id = c.id AND id <> %(mine)s
 ORDER BY id DESC LIMIT 1) p ON true"""
#: What these people signed in from last.
_SIGN_INS = """unnest(ARRAY(SELECT origin FROM (SELECT origin, max(at) AS last FROM (
 SELECT {0} AS origin, at FROM portal_auditentry WHERE action = 'auth.login' AND actor_id = ANY(%(logins)s)
 AND at >= %(since)s AND {0} <> '' ORDER BY at DESC LIMIT {newest}) n GROUP BY origin ORDER BY last DESC
 LIMIT {own}) o)) WITH ORDINALITY AS v(value, place)"""
DEVICE = Way(
    "device",
    _SIGNED_IN.format("e.after ->> 'device' = v.value", read=READ),
    16,
    own=_SIGN_INS.format("after ->> 'device'", newest=5 * MOST_SIGN_INS, own=MOST_SIGN_INS),
    words="Signed in from the same device",
)
EMAIL = Way("email", _OWNER_OR_ENTITY.format("LOWER(email)", "NOT email = ''"), 8)
PHONE = Way("phone", _OWNER_OR_ENTITY.format("phone", "NOT phone = ''"), 4)
SIGN_IN = Way(
    "sign_in",
    _SIGNED_IN.format("e.ip = v.value AND NOT e.ip = ''", read=READ),
    2,
    own=_SIGN_INS.format("ip", newest=5 * MOST_SIGN_INS, own=MOST_SIGN_INS),
    words="Signed in from the same internet address",
)
ADDRESS = Way(
    "address",
    """SELECT COALESCE(o.application_id, n.application_id) AS application_id FROM onboarding_address d
 LEFT JOIN onboarding_owner o ON o.id = d.owner_id LEFT JOIN onboarding_entity n ON n.id = d.entity_id
 WHERE LOWER(d.street_lines[1]) = v.street AND d.postal_code = v.postal AND d.country = v.country
 AND d.kind IN ('residential', 'mailing', 'registered', 'operating')
 AND COALESCE(o.application_id, n.application_id) <> %(mine)s""",
    1,
    own="unnest(%(streets)s::text[], %(postals)s::text[], %(countries)s::text[]) "
    "WITH ORDINALITY AS v(street, postal, country, place)",
)
#: Those of this app. A strength is a power of two: what tells more outweighs all together that tell less.
WAYS = (SAME_LOGIN, TAX_NUMBER, PERSON, DEVICE, EMAIL, PHONE, SIGN_IN, ADDRESS)
_registered: list[Way] = []
#: Reads a fixed number of rows for each value, however many there are.
_PART = """SELECT '{code}', v.place, f.application_id FROM {values} CROSS JOIN LATERAL (
 SELECT DISTINCT application_id FROM (SELECT application_id FROM ({found}) r LIMIT {read}) s LIMIT {most}) f"""
_VALUES = "unnest(%({}_values)s::text[]) WITH ORDINALITY AS v(value, place)"
_PLACE_KINDS = (
    Address.Kind.RESIDENTIAL,
    Address.Kind.MAILING,
    Address.Kind.REGISTERED,
    Address.Kind.OPERATING,
)


def register(way: Way) -> None:
    """Have one more thing looked at, with own values and words for all of them. Once for each, when the apps start."""
    if way in _registered:
        return
    if any(way.code == one.code or way.strength == one.strength for one in ways()):
        raise ValueError(f"another way is called {way.code}, or as strong as it")
    _registered.append(way)
    _query.cache_clear()


def ways() -> list[Way]:
    """Everything that is looked at, the most telling first."""
    return sorted((*WAYS, *_registered), key=lambda way: -way.strength)


@cache
def _query() -> Written:
    parts = (
        _PART.format(
            code=way.code,
            values=way.own or _VALUES.format(way.code),
            found=way.sql,
            read=READ,
            most=_MOST,
        )
        for way in ways()
    )
    return Written(" UNION ALL ".join(parts))


def find(known: Known, viewer: User) -> Shared:
    """Everything the application shares with others, as far as the viewer may know of it, in one query."""
    words, ask = _asked(known)
    rows = asked(ask)
    shared = Shared()
    for way in ways():
        if not way.permission or can_do(viewer, way.permission):
            _keep(
                shared,
                way,
                words.get(way, ()),
                [(place, key) for code, place, key in rows if code == way.code],
            )
    return shared


def question(known: Known) -> Question:
    """What `find` asks."""
    return _asked(known)[1]


def _asked(known: Known) -> tuple[dict[Way, list[str]], Question]:
    """For each way what its values are in words, and the question for who else has them."""
    people: list[Owner | Entity] = [*known.owners, *([known.entity] if known.entity else [])]
    logins = sorted(
        {known.application.customer.user_id, *(row.user_id for row in known.owners if row.user_id)}
    )
    given_values: dict[Way, dict[str, str]] = {
        SAME_LOGIN: {str(key): "The same login" for key in logins},
        TAX_NUMBER: {row.tax_id_index: "Tax number" for row in people},
        PERSON: {row.person_index: "Name and birth date" for row in known.owners},
        EMAIL: {row.email.lower(): f"E-mail {_masked(row.email)}" for row in people},
        PHONE: {row.phone: f"Phone ending {row.phone[-2:]}" for row in people},
    }
    places = _places(people)
    given: dict[str, Any] = {
        "mine": known.application.pk,
        "logins": logins,
        # By the hour: asked ahead and asked again a moment later it is the same question.
        "since": clock.now().replace(minute=0, second=0, microsecond=0) - SIGNED_IN_WITHIN,
    }
    given |= {
        name: [key[at] for key in places] for at, name in enumerate(("streets", "postals", "countries"))
    }
    words = {ADDRESS: [f"Address in {city}" for city in places.values()]}
    for way, by_value in given_values.items():
        values = [value for value in by_value if value]
        given[f"{way.code}_values"] = values
        words[way] = [by_value[value] for value in values]
    return words, _query().of(**given)


def in_order(shared: Shared) -> list[UUID]:
    """The applications, those that share the most telling things first, the newest first among equals."""
    strengths = {way.code: way.strength for way in ways()}
    strength = {key: sum(strengths[code] for code in things) for key, things in shared.by_application.items()}
    newest = sorted(strength, reverse=True)
    return sorted(newest, key=lambda key: -strength[key])


def _places(people: Iterable[Owner | Entity]) -> dict[tuple[str, str, str], str]:
    """The addresses as they are compared, each with its city."""
    return {
        (row.street_lines[0].lower(), row.postal_code, row.country.code): row.city
        for person in people
        for row in person.addresses.all()
        if row.kind in _PLACE_KINDS and row.street_lines and row.street_lines[0]
    }


def _keep(shared: Shared, way: Way, words: Sequence[str], rows: Iterable[tuple[int, UUID]]) -> None:
    """Each row says which of the values (from 1) which application shares."""
    by_place: dict[int, list[UUID]] = {}
    for place, key in rows:
        by_place.setdefault(place, []).append(key)
    for place, keys in by_place.items():
        said = way.words or words[place - 1]
        if len(keys) > COMMON:
            shared.common.append(f"{said}: shared with more than {COMMON} others")
            continue
        for key in keys:
            shared.by_application.setdefault(key, {}).setdefault(way.code, said)


def _masked(email: str) -> str:
    name, _, host = email.partition("@")
    return f"{name[:1]}…@{host}"
