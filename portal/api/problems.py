"""Every problem type of the REST API: what it means and what to do. Answers, pages and docs/problems.md read this.

`type` in an answer is `/docs/problems/<code>`, and portal.views.problems serves a page there. A test holds the
list against every error the code raises.
"""

from dataclasses import dataclass

TYPE_BASE = "/docs/problems/"


@dataclass(frozen=True)
class ProblemType:
    """One problem type. `title` may be reworded; `code` and `status` stay. `means` and `do` are whole sentences."""

    code: str
    status: int
    title: str
    means: str
    do: str

    @property
    def url(self) -> str:
        """The `type` of an answer, and the address of its page."""
        return f"{TYPE_BASE}{self.code}"


@dataclass(frozen=True)
class ProblemGroup:
    """Problem types of one kind, under a heading."""

    title: str
    types: tuple[ProblemType, ...]


GROUPS = (
    ProblemGroup(
        "What was sent does not fit",
        (
            ProblemType(
                "parse-error",
                400,
                "The body cannot be read",
                "The body is no JSON, is nested too deeply, or is in another character set than it says.",
                "Mend the client: send JSON in UTF-8.",
            ),
            ProblemType(
                "method-not-allowed",
                405,
                "There is no such method here",
                "The endpoint exists and does not know this method. `Allow` names those it knows.",
                "Mend the client.",
            ),
            ProblemType(
                "not-acceptable",
                406,
                "Only JSON can be had",
                "`Accept` asks for something other than JSON.",
                "Accept `application/json`.",
            ),
            ProblemType(
                "too-large",
                413,
                "The body is too large",
                "The body has more than 1 MB, a file is larger than any that is taken, or more bytes than announced.",
                "Send less. Nothing of the body was kept.",
            ),
            ProblemType(
                "unsupported-media-type",
                415,
                "The body is not declared as JSON",
                "`Content-Type` is missing or names something other than JSON.",
                "Send `Content-Type: application/json`.",
            ),
            ProblemType(
                "invalid",
                422,
                "Some answers need attention",
                (
                    "Values do not hold, or the application is not complete. `errors` names each by a JSON pointer "
                    "into the body, or into the application: `/address/home_city`, `/agreements/<id>`."
                ),
                "Show each sentence beside its field, let the person correct it, and send again.",
            ),
            ProblemType(
                "precondition-required",
                428,
                "If-Match is missing",
                "A draft was to be changed without saying which version of it was seen.",
                "Send the `ETag` you read last as `If-Match`.",
            ),
            ProblemType(
                "tus-version",
                412,
                "Another version of tus",
                "An upload was sent without `Tus-Resumable: 1.0.0`, the one version that is spoken here.",
                "Send the header with every request of an upload.",
            ),
        ),
    ),
    ProblemGroup(
        "Who is asking",
        (
            ProblemType(
                "not-authenticated",
                401,
                "Nobody is signed in",
                "No token came with the request.",
                "Sign in, and send `Authorization: Bearer <access token>`.",
            ),
            ProblemType(
                "authentication-failed",
                401,
                "The token does not work",
                "The token is malformed or expired, or its session has ended.",
                "Refresh once. When that fails too, ask the person to sign in again.",
            ),
            ProblemType(
                "permission-denied",
                403,
                "Not for this account",
                "The API is for customers, or a browser's session sent no CSRF token.",
                "Sign in as a customer. Do not repeat the request.",
            ),
            ProblemType(
                "forbidden",
                403,
                "Not allowed",
                "The asker is known and may not do this.",
                "Do not repeat the request.",
            ),
            ProblemType(
                "second-factor-required",
                403,
                "Second factor required",
                "A browser's session of a staff member called the API before it showed a second factor.",
                "Show the second factor in the browser. The API is for customers all the same.",
            ),
            ProblemType(
                "second-factor-needed",
                403,
                "Confirm it is you",
                "So large an amount of money needs a second factor shown within the last ten minutes.",
                (
                    "`POST /api/auth/app/v1/auth/2fa/reauthenticate` with a code, or the same with a passkey, and "
                    "repeat the request with the same `Idempotency-Key`. Who has no second factor sets one up first."
                ),
            ),
            ProblemType(
                "not-found",
                404,
                "Not found",
                "There is no such thing, or it is not yours; the two cannot be told apart.",
                "Do not repeat the request. Read the list to see what is there.",
            ),
            ProblemType(
                "throttled",
                429,
                "Too many requests",
                "More requests came in a minute than one customer may make.",
                "Wait as many seconds as `Retry-After` says.",
            ),
        ),
    ),
    ProblemGroup(
        "What is there says otherwise",
        (
            ProblemType(
                "gone",
                410,
                "It is no longer there",
                "An upload was not finished in time and was removed, or the link to a file has run out.",
                "Start the upload again, or ask for a new link.",
            ),
            ProblemType(
                "stale-draft",
                412,
                "The application was changed elsewhere",
                "The draft changed since the `ETag` you sent. Nothing was saved over it.",
                "Read it again, show what changed, and let the person decide.",
            ),
            ProblemType(
                "conflict",
                409,
                "Conflict",
                "It cannot be changed any more, for example after handing in.",
                "Read it again and follow `next_action`.",
            ),
            ProblemType(
                "transfer-refused",
                409,
                "This transfer cannot be made now",
                "The account, the bank, a limit or the balance stops it. `reasons` has all of it, each with a fix.",
                (
                    "Show each `text` with its `fix`. Nothing was sent: mend it and send the request again, with the "
                    "same `Idempotency-Key` if the body stays the same."
                ),
            ),
            ProblemType(
                "illegal-move",
                409,
                "Not possible in its present state",
                "Its state has no such move, for example withdrawing after handing in.",
                "Read it again and follow `next_action`.",
            ),
            ProblemType(
                "stale-row",
                409,
                "It changed at the same moment",
                "Its state changed at the same moment.",
                "Read it again, and repeat the request if it still makes sense.",
            ),
            ProblemType(
                "idempotency-key-reused",
                409,
                "Idempotency key used for another request",
                "The `Idempotency-Key` came with another body, or for another thing, before.",
                "Make a new key for a new request.",
            ),
        ),
    ),
    ProblemGroup(
        "Everything else",
        (
            ProblemType(
                "refused",
                400,
                "The request was refused",
                "A refusal without a better name; `detail` says why.",
                "Show `detail`. Do not repeat the request unchanged.",
            ),
            ProblemType(
                "provider-away",
                503,
                "The provider cannot be reached",
                "The provider gave no usable answer while you waited. Nothing was lost, and nothing was spent.",
                "Show `detail`. Let the person try again after `Retry-After` seconds.",
            ),
            ProblemType(
                "unavailable",
                503,
                "We are back in a moment",
                "Our database or storage is away just now. Nothing of the request was done, or all of it.",
                "Repeat it after `Retry-After` seconds with the same `Idempotency-Key` or `If-Match`.",
            ),
            ProblemType(
                "error",
                500,
                "Something went wrong on our side",
                "A fault of ours. It was logged under the `request_id`.",
                "Try again later with the same `Idempotency-Key` or `If-Match`. Give support the `request_id`.",
            ),
        ),
    ),
)

#: The same by code.
PROBLEM_TYPES: dict[str, ProblemType] = {kind.code: kind for group in GROUPS for kind in group.types}


def as_markdown() -> str:
    """The tables of docs/problems.md."""
    parts = []
    for group in GROUPS:
        rows = [
            f'| <a id="{kind.code}"></a>`{kind.code}` | {kind.status} | {kind.means} | {kind.do} |'
            for kind in group.types
        ]
        parts.append(
            "\n".join([f"## {group.title}", "", "| Code | Status | Means | Do |", "|---|---|---|---|", *rows])
        )
    return "\n\n".join(parts)
