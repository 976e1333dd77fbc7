"""What customers are told about their money: a letter, and a line in their list, as they chose.

Written in the transaction of what it tells of (funding/after.py). A letter names no amount, no bank and no number; it
leads to the page that does.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from funding import business_days, standing
from funding.models import ALWAYS, Notice, NoticeChoice, NoticeKind, Transfer
from portal import clock, mail
from portal.models import User

Status = Transfer.Status
_BY_STATUS = {
    Status.HELD: NoticeKind.REQUESTED,
    Status.REQUESTED: NoticeKind.REQUESTED,
    Status.PENDING: NoticeKind.ON_ITS_WAY,
    Status.COMPLETED: NoticeKind.COMPLETED,
    Status.DECLINED: NoticeKind.NOT_MADE,
    Status.FAILED: NoticeKind.NOT_MADE,
    Status.RETURNED: NoticeKind.RETURNED,
    Status.CANCELLED: NoticeKind.CANCELLED,
}
#: A deposit released longer ago is no news.
RELEASE_IS_NEWS = timedelta(days=7)
#: What a letter says: its subject and its one sentence.
LETTERS: dict[str, tuple[str, str]] = {
    NoticeKind.REQUESTED: (
        "A transfer was asked for",
        "a transfer was asked for on your account. If that was not you, write to us at once.",
    ),
    NoticeKind.ON_ITS_WAY: ("Your money is on its way", "a transfer of yours is on its way."),
    NoticeKind.COMPLETED: ("A transfer has arrived", "a transfer on your account is complete."),
    NoticeKind.RELEASED: ("A deposit can be withdrawn", "a deposit of yours can be withdrawn from now on."),
    NoticeKind.NOT_MADE: (
        "A transfer was not made",
        "a transfer of yours was not made. The page says why, and what you can do.",
    ),
    NoticeKind.RETURNED: (
        "A transfer was returned",
        "a transfer on your account was returned. The page says why, and what you can do.",
    ),
    NoticeKind.CANCELLED: ("A transfer was cancelled", "a transfer of yours was cancelled."),
    NoticeKind.NEW_BANK: (
        "Please link another bank account",
        "a transfer on your account came back, and we ask you to link another bank account, or the same one anew. "
        "When it is linked, a person of ours looks at it again and you hear from us. Nothing is moved unless you ask "
        "for it.",
    ),
    NoticeKind.WIRE_ACCOUNT: (
        "Your bank accounts for wires changed",
        "a bank account for wires was added to your account, or removed. If that was not you, write to us at once.",
    ),
}
#: Where a notice without a transfer leads to, if not to the customer's money.
PAGES: dict[str, str] = {NoticeKind.PAPER: "customer:home", NoticeKind.NEW_BANK: "money:bank"}
#: What the list says of what the customer is asked for. The letter about a paper is that of every paper.
ASKED: dict[str, str] = {
    NoticeKind.PAPER: "Your account says what, why, and by when. When it is here, a person of ours looks at it.",
    NoticeKind.NEW_BANK: "A transfer came back. When a bank is linked, a person of ours looks at it again.",
}


@dataclass(frozen=True)
class Choice:
    """How one kind is told to one customer; `fixed` where it cannot be switched off."""

    kind: str
    label: str
    by_mail: bool
    in_list: bool
    fixed: bool


def of_transfer(transfer: Transfer) -> None:
    """Tell the customer of where the transfer is now, once. Trades are told where they are made."""
    if transfer.kind == Transfer.Kind.TRADE or transfer.status not in _BY_STATUS:
        return
    tell(
        transfer.account.application.customer.user,
        _BY_STATUS[Status(transfer.status)],
        transfer=transfer,
    )


def tell(user: User, kind: NoticeKind, *, transfer: Transfer | None = None, title: str = "") -> None:
    """Write the line and the letter that the customer chose, in the caller's transaction; each only once for a
    transfer and kind. `title`: what happened, where it is about no transfer."""
    choice = next(row for row in choices_of(user) if row.kind == kind)
    if transfer is not None and Notice.objects.filter(transfer=transfer, kind=kind).exists():
        return
    Notice.objects.create(user=user, kind=kind, transfer=transfer, title=title, listed=choice.in_list)
    if not (choice.by_mail and kind in LETTERS):
        return
    subject, sentence = LETTERS[kind]
    page = (
        reverse("money:transfer", args=[transfer.pk]) if transfer else reverse(PAGES.get(kind, "money:home"))
    )
    mail.send(
        to=user.email,
        subject=subject,
        template="money_notice",
        context={"name": user.name, "sentence": sentence, "page": settings.PORTAL_URL + page},
    )


def choices_of(user: User) -> list[Choice]:
    """What the customer chose, for every kind."""
    rows = {row.kind: row for row in NoticeChoice.objects.filter(user=user)}
    found = []
    for kind in NoticeKind:
        row, fixed = rows.get(kind), kind in ALWAYS
        found.append(
            Choice(
                kind=str(kind),
                label=str(kind.label),
                by_mail=fixed or row is None or row.by_mail,
                in_list=fixed or row is None or row.in_list,
                fixed=fixed,
            )
        )
    return found


def choose(user: User, *, by_mail: set[str], in_list: set[str]) -> None:
    """Keep what the customer chose: the kinds they want by letter and in the list; the fixed ones stay on."""
    with transaction.atomic():
        for kind in set(NoticeKind) - ALWAYS:
            NoticeChoice.objects.update_or_create(
                user=user,
                kind=str(kind),
                defaults={"by_mail": str(kind) in by_mail, "in_list": str(kind) in in_list},
            )


def listed(user: User) -> QuerySet[Notice]:
    """What stands in the customer's list."""
    return Notice.objects.filter(user=user, listed=True).select_related(
        "transfer__bank", "transfer__recipient"
    )


def unread(user: User) -> QuerySet[Notice]:
    """The same, not read yet, newest first."""
    return listed(user).filter(read_at=None).order_by("-pk")


def latest(user: User, most: int) -> list[Notice]:
    """What is new, newest first, with the last word alone of each transfer."""
    found: dict[object, Notice] = {}
    for row in unread(user)[: most * 5]:
        found.setdefault(row.transfer_id or row.pk, row)
    return list(found.values())[:most]


def mark_read(user: User) -> int:
    """All of the customer's list is read; how many were new."""
    return Notice.objects.filter(user=user, listed=True, read_at=None).update(read_at=clock.now())


def words(notice: Notice) -> tuple[str, str]:
    """Title and sentence of a line, as the customer reads it now; no sentence where things have gone on since."""
    transfer = notice.transfer
    if notice.kind in ASKED:
        return notice.title or str(NoticeKind(notice.kind).label), ASKED[notice.kind]
    if transfer is None:
        return notice.title or str(NoticeKind(notice.kind).label), "If that was not you, write to us at once."
    is_last = notice.kind in {_BY_STATUS.get(Status(transfer.status)), NoticeKind.RELEASED}
    return _title(notice.kind, transfer), standing.explain(transfer).body if is_last else ""


def _title(kind: str, transfer: Transfer) -> str:
    what = f"{standing.name(transfer)} of {transfer.amount.format()}"
    ends = {
        NoticeKind.REQUESTED: "asked for",
        NoticeKind.ON_ITS_WAY: "on its way",
        NoticeKind.COMPLETED: "complete",
        NoticeKind.RELEASED: "can be withdrawn",
        NoticeKind.NOT_MADE: "not made",
        NoticeKind.RETURNED: "returned",
        NoticeKind.CANCELLED: "cancelled",
    }
    return f"{what}: {ends[NoticeKind(kind)]}"


def release_due() -> int:
    """Tell of the deposits that can be withdrawn since today or a few days; how many were told. For a job."""
    today = business_days.today(clock.now())
    told = Notice.objects.filter(transfer=OuterRef("pk"), kind=NoticeKind.RELEASED)
    due = Transfer.objects.filter(
        ~Exists(told),
        kind=Transfer.Kind.TRANSFER,
        rail=Transfer.Rail.ACH,
        direction=Transfer.Direction.DEPOSIT,
        status=Status.COMPLETED,
        release_on__gt=today - RELEASE_IS_NEWS,
        release_on__lte=today,
    ).values_list("pk", flat=True)
    count = 0
    for transfer_id in list(due[:500]):
        with transaction.atomic():
            # Locked and looked at anew: it may have been returned, or told by another worker.
            transfer = (
                Transfer.objects.select_for_update(of=("self",))
                .select_related("account__application__customer__user")
                .get(pk=transfer_id)
            )
            if transfer.status == Status.COMPLETED:
                tell(transfer.account.application.customer.user, NoticeKind.RELEASED, transfer=transfer)
                count += 1
    return count
