"""What the provider's compliance team says of an account: a review, a refusal, a suspension, a liquidation.

The provider has no call to approve, lift or answer any of it (contract 7.2): a person of ours writes to its team, and
its next event comes back by itself. So no decision here changes the provider's status; each records what was agreed, or
acts on what is ours: our hold on the money, papers from the customer, closing the account, letters.
"""

from collections.abc import Mapping
from datetime import timedelta

from compliance import kinds
from compliance.models import Case
from onboarding import provider_cases, second_person
from onboarding.cases import asking, traits
from onboarding.cases.provider_decisions import (
    AGAIN,
    ASK,
    ASKED_FOR,
    CLOSE,
    PAPER,
    RELEASE,
    Cause,
    asked,
    held_everywhere,
    hold_on,
    stands,
)
from onboarding.cases.provider_evidence import evidence, lock, page
from onboarding.dossier import anchors
from onboarding.models import ProviderAccount

Priority = Case.Priority


def _kind(
    name: str,
    title: str,
    purpose: str,
    checklist: Mapping[str, str],
    decisions: tuple[kinds.Decision, ...],
    priority: int,
    due_after: timedelta,
) -> kinds.CaseKind:
    return kinds.CaseKind(
        name=name,
        title=title,
        purpose=purpose,
        checklist=tuple(kinds.CheckItem(code, text) for code, text in checklist.items()),
        decisions=decisions,
        evidence=evidence,
        subject_url=page,
        lock=lock,
        traits=traits.of_account,
        anchor=anchors.of_case,
        ask_url=asking.page,
        ruled_out=second_person.about((ProviderAccount, "application")),
        priority=priority,
        due_after=due_after,
    )


review = _kind(
    provider_cases.REVIEW,
    "Provider reviews by hand",
    "The provider's compliance team looks at the customer by hand. They alone decide; their event ends this "
    "case. It waits "
    "for them and comes back after four days, so that somebody asks how it stands and whether they lack anything.",
    {
        "lacking": "Looked whether the provider asked for anything: a paper, an answer, an explanation",
        "compared": "Name, birth date, address and tax number compared with the papers that are here",
    },
    (
        ASK,
        PAPER,
        stands(
            "Nothing for us to do: leave it to them",
            "The case closes; a verdict opens another where it needs one.",
            {"working": "They confirmed that they work on it", "complete": "Nothing is lacking"},
        ),
    ),
    Priority.NORMAL,
    timedelta(days=2),
)

identity = _kind(
    provider_cases.IDENTITY,
    "Identity check failed",
    "The provider could not match the customer with official records, or gave no reason, and did not open "
    "the account or "
    "switched it off. Find out whether something was mistyped, or whether somebody else's identity was used.",
    {
        "typing": "Name, birth date, address and tax number read for slips and compared with papers",
        "same_person": "Other accounts with the same phone, e-mail, address or device looked at",
        "spoken": "Where it stays unclear: spoken with the customer, called back on a number found elsewhere",
    },
    (
        AGAIN,
        ASK,
        kinds.Decision(
            "stolen",
            "Stolen or made-up identity: hold every account of this customer",
            "No money moves on any of their accounts until each hold is released. Consider a report of "
            "suspicious activity.",
            effect=held_everywhere(Cause.IDENTITY),
            verdict="refused",
            reasons={
                "stolen": "Somebody else's identity",
                "made_up": "Parts do not belong to one person",
                "forged": "Forged paper",
            },
            needs_text=True,
        ),
        RELEASE,
        stands(
            "The refusal stands",
            "The customer has been told that the account was not opened.",
            {
                "no_match": "Details and papers do not match",
                "no_answer": "The customer does not answer",
                "no_reason": "The provider gives no reason",
            },
            verdict="refused",
        ),
    ),
    Priority.NORMAL,
    timedelta(days=2),
)

sanctions = _kind(
    provider_cases.SANCTIONS,
    "Sanctions screening hit",
    "The provider's screening matched the customer with a sanctions list and refused them. Most hits are "
    "namesakes: find "
    "out whether this is the person on the list. The customer must not learn the reason from us.",
    {
        "compared": "Name, other names, birth date, place and country compared with the list's entry",
        "others": "Every other account and person connected with the customer looked at",
        "silent": "Nothing about the reason told or written to the customer",
    },
    (
        kinds.Decision(
            "match",
            "The person on the list: hold every account of this customer",
            "Name the list and its entry. Blocked property is reported to OFAC within ten business days (31 "
            "CFR 501.603).",
            effect=held_everywhere(Cause.SANCTIONS),
            verdict="refused",
            reasons={
                "sdn": "OFAC list of Specially Designated Nationals",
                "consolidated": "OFAC Consolidated Sanctions List",
                "other_list": "A list of the EU, the UK or the UN",
            },
            needs_text=True,
            permission="case.manage",
        ),
        kinds.Decision(
            "namesake",
            "Somebody else: ask the provider to look again, and wait",
            "Write to their compliance team what tells the two apart. Say whom you wrote to and their ticket.",
            effect=asked,
            reasons={
                "birth_date": "Another birth date",
                "country": "Another country or place of birth",
                "full_name": "Another full name",
                "paper": "A paper proves it",
            },
            needs_text=True,
            waits_on="provider",
            waits_for=ASKED_FOR,
        ),
        RELEASE,
        stands(
            "The refusal stands, without a match of ours",
            "The customer keeps what they were told: that the account was not opened.",
            {"unclear": "It cannot be told apart", "no_answer": "The provider does not look again"},
            verdict="refused",
        ),
    ),
    Priority.URGENT,
    timedelta(hours=4),
)

tax_number = _kind(
    provider_cases.TAX_NUMBER,
    "Tax number could not be verified",
    "The provider tried the tax number as often as it may and refused the customer. It cannot be corrected "
    "over their "
    "interface: with a right number the customer applies again, or their team changes it by hand.",
    {
        "card": "Number compared with the card or letter that shows it, digit by digit",
        "kind": "Kind of number right: SSN, ITIN or EIN; name as it stands on the card",
    },
    (
        AGAIN,
        ASK,
        stands(
            "The refusal stands",
            "The customer has been told that the number could not be verified.",
            {
                "right": "The number is right as given",
                "no_answer": "The customer does not answer",
                "others": "It is somebody else's number",
            },
            verdict="refused",
        ),
    ),
    Priority.NORMAL,
    timedelta(days=2),
)

suspended = _kind(
    provider_cases.SUSPENDED,
    "Account suspended by the provider",
    "The provider's compliance team paused an account that was open: nothing goes in or out. Only they lift "
    "it, and their "
    "event ends this case. Find out why, and what they or the customer need; hold it ourselves where our own "
    "doubt remains.",
    {
        "why": "Provider's team asked why, and what they need",
        "under_way": "What is under way looked at: transfers, changes, a closing",
        "customer": "Customer knows whom to write to, and nothing that must not be told",
    },
    (
        ASK,
        PAPER,
        hold_on(
            Cause.PROVIDER,
            "For a doubt of our own: it stays held when the provider lifts its suspension.",
            {
                "doubt": "Doubt of our own",
                "investigation": "Asked by an authority",
                "taken_over": "Login taken over",
            },
        ),
        RELEASE,
        CLOSE,
        stands(
            "Nothing left for us: the provider decides",
            "The case closes; the suspension goes on.",
            {"known": "Reason known, customer told", "no_reason": "The provider gives no reason"},
        ),
    ),
    Priority.HIGH,
    timedelta(days=1),
)

returns = _kind(
    provider_cases.RETURNS,
    "Suspended for returned bank transfers",
    "Too many of the customer's bank transfers came back, and the provider suspended the account. Find out "
    "whether the bank "
    "account was empty or closed, or whether its owner never allowed the debit: that is another matter, and "
    "may be fraud.",
    {
        "codes": "Return codes and amounts read: R01 and R09 are money, R02 to R04 the account, R05, R07, "
        "R10 and R29 "
        "say that nobody allowed it",
        "owner": "Owner of the bank account compared with the customer",
        "debt": "What is owed after the returns known",
    },
    (
        ASK,
        PAPER,
        hold_on(
            Cause.RETURNS,
            "It stays held when the provider lifts its suspension, until what came back is settled.",
            {
                "unauthorized": "The bank account's owner did not allow it",
                "insufficient": "No money in the bank account",
                "closed": "Bank account closed or wrong",
                "pattern": "Deposits taken out again before they come back",
            },
        ),
        RELEASE,
        CLOSE,
        stands(
            "Nothing left for us: the provider decides",
            "The case closes; the suspension goes on.",
            {"settled": "What came back is settled", "told": "Customer told what to do"},
        ),
    ),
    Priority.HIGH,
    timedelta(days=1),
)

liquidation = _kind(
    provider_cases.LIQUIDATION,
    "Sell and withdraw only",
    "The provider limited the account: the customer may sell and withdraw, not buy or deposit. It is usually "
    "the way out. "
    "See that the customer knows, gets their money, and that nothing that buys or deposits is under way. A "
    "hold of ours "
    "would stop the withdrawal too.",
    {
        "told": "Customer told what they can do, and by when where the provider named a day",
        "under_way": "Deposits and orders to buy that are under way looked at",
    },
    (
        kinds.Decision(
            "told",
            "The customer was told to sell and withdraw: wait",
            "Say when and how they were told, and what they answered.",
            reasons={"called": "Called", "written": "Written to"},
            needs_text=True,
            waits_on="customer",
            waits_for=timedelta(days=30),
        ),
        ASK,
        CLOSE,
        RELEASE,
        stands(
            "Nothing left for us",
            "The case closes; the limit goes on.",
            {"empty": "The account is empty", "told": "The customer knows and does as they like"},
        ),
    ),
    Priority.HIGH,
    timedelta(days=1),
)

ALL = (review, identity, sanctions, tax_number, suspended, returns, liquidation)
