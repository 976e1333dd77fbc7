"""The rules answers must hold, each with words that say how to mend them. Sources: seed 000 and contract 4.2."""

import re
import unicodedata
from datetime import date
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django_countries import countries
from stdnum.us import ein

from portal import clock

ADULT = 18
OLDEST = 120

#: Invisible joiners that some scripts need inside names; every other format or control character is refused.
JOINERS = {"\u200c", "\u200d"}
NAME_PUNCTUATION = set("-'’ʼ`.,·־׳་ ")

US_STATES = tuple(
    pair.split(":")
    for pair in [
        "AL:Alabama",
        "AK:Alaska",
        "AZ:Arizona",
        "AR:Arkansas",
        "CA:California",
        "CO:Colorado",
        "CT:Connecticut",
        "DE:Delaware",
        "DC:District_of_Columbia",
        "FL:Florida",
        "GA:Georgia",
        "HI:Hawaii",
        "ID:Idaho",
        "IL:Illinois",
        "IN:Indiana",
        "IA:Iowa",
        "KS:Kansas",
        "KY:Kentucky",
        "LA:Louisiana",
        "ME:Maine",
        "MD:Maryland",
        "MA:Massachusetts",
        "MI:Michigan",
        "MN:Minnesota",
        "MS:Mississippi",
        "MO:Missouri",
        "MT:Montana",
        "NE:Nebraska",
        "NV:Nevada",
        "NH:New_Hampshire",
        "NJ:New_Jersey",
        "NM:New_Mexico",
        "NY:New_York",
        "NC:North_Carolina",
        "ND:North_Dakota",
        "OH:Ohio",
        "OK:Oklahoma",
        "OR:Oregon",
        "PA:Pennsylvania",
        "RI:Rhode_Island",
        "SC:South_Carolina",
        "SD:South_Dakota",
        "TN:Tennessee",
        "TX:Texas",
        "UT:Utah",
        "VT:Vermont",
        "VA:Virginia",
        "WA:Washington",
        "WV:West_Virginia",
        "WI:Wisconsin",
        "WY:Wyoming",
        "AS:American_Samoa",
        "GU:Guam",
        "MP:Northern_Mariana_Islands",
        "PR:Puerto_Rico",
        "VI:US_Virgin_Islands",
    ]
)
STATE_CHOICES = tuple((code, name.replace("_", " ")) for code, name in US_STATES)


def plain_text(raw: str) -> str:
    """The text in composed form, outer and doubled white space removed. Raises for characters nobody can see."""
    text = unicodedata.normalize("NFC", raw)
    for character in text:
        if unicodedata.category(character) in {
            "Cc",
            "Cf",
            "Cs",
            "Co",
            "Cn",
        } and character not in JOINERS | set("\t\r\n"):
            raise ValidationError(
                "There is a character here that cannot be shown. Delete the answer and type it again."
            )
    return " ".join(text.split())


def person_name(value: str) -> str:
    """A name in any script: letters, marks and the punctuation of names. Raises for digits, emoji and symbols."""
    for character in value:
        if unicodedata.category(character)[0] not in "LM" and character not in NAME_PUNCTUATION | JOINERS:
            raise ValidationError(
                "A name can hold letters of any script, spaces, hyphens, apostrophes and full stops. "
                f"Remove “{character}”."
            )
    if not any(unicodedata.category(character)[0] == "L" for character in value):
        raise ValidationError("A name needs at least one letter.")
    return value


def email(value: str) -> str:
    """An e-mail address. Raises with an example."""
    try:
        validate_email(value)
    except ValidationError as error:
        raise ValidationError("Enter an e-mail address in the form name@example.com.") from error
    return value


def phone(value: str, region: str = "US") -> str:
    """A phone number as compact E.164; one without country code is read as one of `region`."""
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException as error:
        raise ValidationError("Enter a phone number, such as 512 555 0142 or +44 20 7946 0958.") from error
    if not phonenumbers.is_possible_number(number):
        raise ValidationError("This phone number has too few or too many digits. Check it and type it again.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def country(value: Any) -> str:
    """A country as ISO 3166 alpha-2, from alpha-2 or alpha-3 in any case, or from its name."""
    if not isinstance(value, str):
        raise ValidationError("Send an ISO 3166 country code, such as US.")
    value = plain_text(value)
    # The library takes "³" for a numeric code and fails on it.
    code = (countries.alpha2(value.upper()) if value.isascii() else "") or countries.by_name(value)
    if not code or code not in countries:
        raise ValidationError(
            "Choose a country from the list. In the API send its ISO 3166 code, such as US or USA."
        )
    return str(code)


def us_state(value: str) -> str:
    """A two-letter state or territory code; a full name is taken too."""
    codes = dict(STATE_CHOICES)
    upper = value.upper()
    if upper in codes:
        return upper
    by_name = {name.upper(): code for code, name in STATE_CHOICES}
    if upper in by_name:
        return by_name[upper]
    raise ValidationError("Choose a state or territory, such as TX.")


def us_postal_code(value: str) -> str:
    """A ZIP code of five digits, or nine with a hyphen."""
    if not re.fullmatch(r"[0-9]{5}(-[0-9]{4})?", value):
        raise ValidationError("Enter a ZIP code of five digits, such as 78701, or nine, such as 78701-1234.")
    return value


def physical_street(value: str) -> str:
    """A street a person can live on: identification rules do not take a post office box (31 CFR 1020.220)."""
    if re.search(r"\bP\.?\s?O\.?\s?Box\b", value, re.IGNORECASE):
        raise ValidationError("Enter the street of the home. A P.O. box can be the mailing address instead.")
    return value


def adult_birth_date(value: date) -> date:
    """A birth date of someone between 18 and 120 years old today."""
    if _age(value) < ADULT:
        raise ValidationError(
            f"The person must be {ADULT} or older for this account. Check the date of birth."
        )
    return value


def minor_birth_date(value: date) -> date:
    """A birth date of someone under 18 today."""
    if _age(value) >= ADULT:
        raise ValidationError(f"A minor is under {ADULT}. Whoever is older opens an account of their own.")
    return value


def birth_date(value: date) -> date:
    """A birth date of someone born, and not more than 120 years ago."""
    _age(value)
    return value


def past_date(value: date) -> date:
    """A day that has come already."""
    if value > clock.today():
        raise ValidationError("This date lies in the future. Check the year.")
    return value


def _age(born: date) -> int:
    today = clock.today()
    if born > today:
        raise ValidationError("The date of birth lies in the future. Check the year.")
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if age > OLDEST:
        raise ValidationError("Check the year of birth: it is more than 120 years ago.")
    return age


def ssn(value: str) -> str:
    """A Social Security number by its structure: not 000, 666 or 9xx first, no all-zero part. Nine digits come back."""
    digits = _nine_digits(value, "Social Security number")
    if digits[:3] in {"000", "666"} or digits[0] == "9" or digits[3:5] == "00" or digits[5:] == "0000":
        hint = " Numbers that begin with 9 are ITINs: choose that type instead." if digits[0] == "9" else ""
        raise ValidationError(
            f"This is not a possible Social Security number. Check it against the card.{hint}"
        )
    return digits


def itin(value: str) -> str:
    """An ITIN: begins with 9, fourth and fifth digit 50-65, 70-88, 90-92 or 94-99. Nine digits come back."""
    digits = _nine_digits(value, "ITIN")
    middle = int(digits[3:5])
    if digits[0] != "9" or not (
        50 <= middle <= 65 or 70 <= middle <= 88 or 90 <= middle <= 92 or 94 <= middle <= 99
    ):
        raise ValidationError("This is not a possible ITIN: it begins with 9, as on the letter from the IRS.")
    return digits


def employer_number(value: str) -> str:
    """An EIN by its structure: nine digits whose first two the IRS gives out. Nine digits come back."""
    digits = _nine_digits(value, "EIN")
    if not ein.is_valid(digits):
        raise ValidationError("This is not a possible EIN. Check it against the letter from the IRS.")
    return digits


def national_number(value: str) -> str:
    """A national number of any country: 4 to 32 letters or digits, with the separators people write."""
    compact = re.sub(r"[\s./-]", "", value)
    if not re.fullmatch(r"[0-9A-Za-z]{4,32}", compact) or not re.search(r"\d", compact):
        raise ValidationError("Enter the number as it stands on the document, 4 to 32 letters and digits.")
    return compact.upper()


def entity_phone(value: str) -> str:
    """A company's number as the contract's pattern has it: + and 4 to 15 digits (4.4)."""
    if not re.fullmatch(r"\+[1-9][0-9]{3,14}", value):
        raise ValidationError("Enter the phone number with its country code, such as +1 512 555 0142.")
    return value


def _nine_digits(value: str, name: str) -> str:
    digits = re.sub(r"[\s-]", "", value)
    if not re.fullmatch(r"[0-9]{9}", digits):
        raise ValidationError(f"Enter the nine digits of the {name}, such as 123-45-6789.")
    return digits
