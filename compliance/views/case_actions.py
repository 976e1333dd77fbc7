"""What can be done with a case besides deciding it, as its page offers it: each form opens on demand."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.utils.safestring import SafeString

from portal.templatetags.ui import button, disclosure, link_button
from portal.ui.addresses import address
from portal.ui.drawing import joined, markup

#: What opens, what is pressed, with which icon; the form goes to the address of that name and has fields of that name.
_FORMS = {
    "wait": ("Let it wait", "Wait", "hourglass"),
    "hold": ("Put it on hold", "Put on hold", "pause"),
    "escalate": ("Ask a manager to decide", "Escalate", "arrow-up"),
    "assign": ("Give it to someone", "Give", "user-plus"),
    "reopen": ("Reopen the case", "Reopen", "rotate-ccw"),
}


def drawn(
    key: UUID,
    allowed: Mapping[str, bool],
    fields: Mapping[str, SafeString],
    sent: Collection[str],
    *,
    token: str,
    ask_url: str,
    hold_words: str,
) -> SafeString:
    """The actions that are allowed, in their order. `fields` are drawn by the forms' names; forms that were `sent` with
    something wrong stand open; `hold_words` say what holding it means."""
    csrf = markup('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token)

    def bare(name: str, content: SafeString) -> SafeString:
        address_of = address(f"cases:{name}", key)
        return markup('<form method="post" action="{}" data-once>{}{}</form>\n', address_of, content, csrf)

    def opening(name: str) -> SafeString:
        summary, press, icon = _FORMS[name]
        form = markup(
            '<form method="post" action="{}" class="stack" novalidate data-once>{}{}{}{}</form>',
            address(f"cases:{name}", key),
            markup('<p class="small muted">{}</p>', hold_words) if name == "hold" else "",
            fields[f"{name}_fields"],
            button(press, kind="secondary", icon_name=icon),
            csrf,
        )
        shown = disclosure(form, summary, is_open=name in sent)
        return markup('<div data-key="h">{}</div>\n', shown) if name == "hold" else shown

    pieces = []
    if allowed["resume"]:
        pieces.append(bare("resume", button("Take up again", kind="secondary", icon_name="play")))
    if ask_url:
        pieces.append(link_button("Ask the customer", ask_url, kind="secondary", icon_name="mail"))
    pieces += [opening(name) for name in ("wait", "hold", "escalate", "assign") if allowed[name]]
    if allowed["put_back"]:
        back = button(
            "Put it back into the queue",
            kind="secondary",
            icon_name="undo-2",
            name="whom",
            value="nobody",
        )
        pieces.append(bare("assign", back))
    if allowed["reopen"]:
        pieces.append(opening("reopen"))
    return joined(pieces)
