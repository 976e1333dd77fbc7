"""ACH return codes: what each means to the customer, what staff do, and what it says about the next transfer.

That R01 to R44 exist, and roughly what each stands for, is in the contract (bakkt-partner.md, section 8). Words, steps
and days are our own. `source` says where a row's meaning comes from: BAKKT for the contract's own table, NACHA for
general knowledge of the rules, which nobody at Bakkt confirmed: R11, which Nacha has redefined since that table was
written, and R51, which lies past its readable end. The groups are general knowledge too: Nacha counts returns as
unauthorised (often up to about 60 days later), as administrative, and all together.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """The groups in which Nacha counts returns against whoever started the payments."""

    UNAUTHORIZED = "unauthorized"
    ADMINISTRATIVE = "administrative"
    OTHER = "other"


class Source(StrEnum):
    """Who says what the code means."""

    BAKKT = "bakkt"
    NACHA = "nacha"


@dataclass(frozen=True)
class ReturnCode:
    """One code. `customer` and `staff` are sentences to show.

    `retryable`: the same transfer may be tried again without anything changing first. `unlink_bank`: the link is of
    no more use. `hold_days_next`: calendar days we propose to hold the next deposit from this customer.
    """

    code: str
    customer: str
    staff: str
    retryable: bool
    unlink_bank: bool
    hold_days_next: int
    category: Category
    source: Source

    @property
    def known(self) -> bool:
        """Whether the code is in the table."""
        return self.code in CODES


#: What the provider calls a return code.
FORM = re.compile(r"R[0-9]{2}")
UNAUTHORIZED, ADMINISTRATIVE, OTHER = Category
BAKKT, NACHA = Source

# fmt: off
_ROWS = (
    ReturnCode(
        "R01",
        "Your bank says there was not enough money in the account.",
        "Ask the customer when money will be there; the same amount may be tried again, twice at most.",
        retryable=True, unlink_bank=False, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R02",
        "Your bank says this account is closed.",
        "Have the customer link another account. Do not try this one again.",
        retryable=False, unlink_bank=True, hold_days_next=5, category=ADMINISTRATIVE, source=BAKKT,
    ),
    ReturnCode(
        "R03",
        "Your bank cannot find this account, or the name does not fit it.",
        "Compare the name at the bank with the customer's, then have the account linked anew.",
        retryable=False, unlink_bank=True, hold_days_next=5, category=ADMINISTRATIVE, source=BAKKT,
    ),
    ReturnCode(
        "R04",
        "Your bank says the account number is not a valid one.",
        "Have the customer link the account anew; the number was wrong.",
        retryable=False, unlink_bank=True, hold_days_next=5, category=ADMINISTRATIVE, source=BAKKT,
    ),
    ReturnCode(
        "R05",
        "Your bank says this payment from a personal account was not authorised.",
        "Stop deposits from this bank, talk to the customer, keep the proof of their consent.",
        retryable=False, unlink_bank=True, hold_days_next=60, category=UNAUTHORIZED, source=BAKKT,
    ),
    ReturnCode(
        "R06",
        "Bakkt's bank asked for this payment back.",
        "Ask Bakkt why it asked for the payment back before anything is tried again.",
        retryable=False, unlink_bank=False, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R07",
        "You told your bank that you no longer allow these payments.",
        "Remove the bank. A new deposit needs a new consent and a new link.",
        retryable=False, unlink_bank=True, hold_days_next=60, category=UNAUTHORIZED, source=BAKKT,
    ),
    ReturnCode(
        "R08",
        "You asked your bank to stop this payment.",
        "Ask whether the stop was meant. Try again only when the customer asks for it.",
        retryable=False, unlink_bank=False, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R09",
        "The money in your account was not available yet.",
        "Wait until the customer's own deposits have cleared; then the same amount may be tried again.",
        retryable=True, unlink_bank=False, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R10",
        "You told your bank that you did not allow this payment.",
        "Treat as possible fraud: block deposits, open a review, keep the proof of consent.",
        retryable=False, unlink_bank=True, hold_days_next=60, category=UNAUTHORIZED, source=BAKKT,
    ),
    ReturnCode(
        "R11",
        "Your bank says the payment did not match what you had allowed.",
        "Compare amount, day and consent with what was sent. A corrected payment needs the customer's word.",
        retryable=False, unlink_bank=False, hold_days_next=60, category=UNAUTHORIZED, source=NACHA,
    ),
    ReturnCode(
        "R12",
        "Your account has moved to another bank or branch.",
        "Have the customer link the account anew; its bank has changed.",
        retryable=False, unlink_bank=True, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R13",
        "The bank's routing number is not a valid one.",
        "Have the customer link the account anew; the routing number was wrong.",
        retryable=False, unlink_bank=True, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R14",
        "Your bank cannot take payments for this account any more.",
        "The person who acts for the holder has died or may no longer act. Stop transfers, open a review.",
        retryable=False, unlink_bank=True, hold_days_next=30, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R15",
        "Your bank cannot take payments for this account any more.",
        "The holder of the bank account has died. Stop transfers, open a review.",
        retryable=False, unlink_bank=True, hold_days_next=30, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R16",
        "Your bank has frozen this account.",
        "Frozen, or returned by order of a sanctions authority. Stop transfers, tell compliance at once.",
        retryable=False, unlink_bank=True, hold_days_next=60, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R17",
        "Your bank could not process the payment as it was sent.",
        "Ask Bakkt which entry the bank could not process; it may also suspect that the details were false.",
        retryable=False, unlink_bank=False, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R18",
        "The payment was sent for a day your bank does not accept.",
        "Nothing for the customer to do. Report it to Bakkt, then send a new transfer.",
        retryable=True, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R19",
        "The amount of the payment could not be read.",
        "Nothing for the customer to do. Report it to Bakkt with the reference.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R20",
        "This kind of account does not allow such payments.",
        "Savings with limits, for example. Have the customer link a checking account.",
        retryable=False, unlink_bank=True, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R21",
        "The payment did not name the sender as your bank expects.",
        "Report it to Bakkt: the company's identification was wrong.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R22",
        "Your bank does not know the customer number in the payment.",
        "Report it to Bakkt: the receiver's identification was wrong.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R23",
        "Your bank refused to accept this credit.",
        "The holder refused the money, or the account may not take it. Ask the customer, then use another bank.",
        retryable=False, unlink_bank=False, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R24",
        "Your bank says this payment came twice.",
        "Look for a second transfer of the same amount and day before anything is sent again.",
        retryable=False, unlink_bank=False, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R25",
        "The details sent along with the payment were not readable.",
        "Report it to Bakkt: an attached record was wrong.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R26",
        "A required detail of the payment was missing.",
        "Report it to Bakkt: a required field was wrong.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R27",
        "The payment could not be matched to the one before it.",
        "Report it to Bakkt: the trace number was wrong.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R28",
        "The bank's routing number does not add up.",
        "Have the customer link the account anew; a digit of the routing number is wrong.",
        retryable=False, unlink_bank=True, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R29",
        "The company that owns this account did not allow the payment.",
        "Stop deposits from this bank. The company must allow them at its bank before the account is linked anew.",
        retryable=False, unlink_bank=True, hold_days_next=60, category=UNAUTHORIZED, source=BAKKT,
    ),
    ReturnCode(
        "R30",
        "Your bank does not take part in this kind of payment.",
        "Concerns cheques only; it should not come back for a transfer. Ask Bakkt.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R31",
        "Bakkt's bank agreed to take this payment back.",
        "The return came late and by agreement. Ask Bakkt what it concerns.",
        retryable=False, unlink_bank=False, hold_days_next=30, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R32",
        "Your bank could not settle payments on that day.",
        "A matter between the banks. Ask Bakkt when to try again.",
        retryable=True, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R33",
        "Your bank returned a payment that stood for a lost cheque.",
        "Concerns cheques only; it should not come back for a transfer. Ask Bakkt.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R34",
        "Your bank may take part in such payments only in a limited way.",
        "The bank's regulator limits it. Have the customer link an account at another bank.",
        retryable=False, unlink_bank=True, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R35",
        "This payment may not be taken from an account.",
        "The entry was of a kind that allows no debit. Report it to Bakkt.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R36",
        "This payment may not be paid into an account.",
        "The entry was of a kind that allows no credit. Report it to Bakkt.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R37",
        "Your bank was presented with the cheque behind this payment as well.",
        "Concerns cheques only; it should not come back for a transfer. Ask Bakkt.",
        retryable=False, unlink_bank=False, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R38",
        "You stopped the cheque behind this payment.",
        "Concerns cheques only; it should not come back for a transfer. Ask Bakkt.",
        retryable=False, unlink_bank=False, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R39",
        "The cheque behind this payment may not be used for it.",
        "Concerns cheques only; it should not come back for a transfer. Ask Bakkt.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R40",
        "A public authority returned the enrolment.",
        "Concerns enrolments with authorities; it should not come back for a transfer. Ask Bakkt.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R41",
        "The payment was of a kind that your bank does not know.",
        "Report it to Bakkt: the transaction code was wrong.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R42",
        "The bank's routing number was not accepted.",
        "Have the customer link the account anew; the routing number or its check digit is wrong.",
        retryable=False, unlink_bank=True, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R43",
        "The account number was not accepted.",
        "Have the customer link the account anew; the account number is wrong.",
        retryable=False, unlink_bank=True, hold_days_next=5, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R44",
        "Your bank does not know the identification in the payment.",
        "Report it to Bakkt: the receiver's identification was wrong.",
        retryable=False, unlink_bank=False, hold_days_next=0, category=OTHER, source=BAKKT,
    ),
    ReturnCode(
        "R51",
        "Your bank says that presenting this payment again was not allowed.",
        "Stop deposits from this bank, open a review, keep the proof of consent.",
        retryable=False, unlink_bank=True, hold_days_next=60, category=UNAUTHORIZED, source=NACHA,
    ),
)
# fmt: on
CODES = {row.code: row for row in _ROWS}


def is_return_code(word: str) -> bool:
    """Whether a `reasonCode` is an ACH return code, known or not."""
    return bool(FORM.fullmatch(word))


def look_up(code: str) -> ReturnCode:
    """The row of the code. One that is not in the table gets careful words: not retried, held for 30 days, and a
    person reads up what it means."""
    return CODES.get(code) or ReturnCode(
        code,
        "Your bank returned this payment.",
        "This code is not in our table. Ask Bakkt what it means before anything is tried again.",
        retryable=False,
        unlink_bank=False,
        hold_days_next=30,
        category=OTHER,
        source=NACHA,
    )
