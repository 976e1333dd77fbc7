"""The PDF of an agreement: checked when it comes in, by what it is and not by what it is called."""

from dataclasses import dataclass
from io import BytesIO

import pikepdf

from onboarding.models.agreements import LARGEST_DOCUMENT
from portal.errors import Invalid

#: Entries of a PDF that make it do something when it is opened, or carry other files.
ACTIVE = frozenset({"/JavaScript", "/JS", "/Launch", "/EmbeddedFiles", "/RichMedia", "/XFA"})


@dataclass(frozen=True)
class Document:
    """A PDF that was found sound."""

    content: bytes
    pages: int


def document_read(content: bytes) -> Document:
    """Check an uploaded PDF. Raises Invalid with what is wrong and what to do."""
    if len(content) > LARGEST_DOCUMENT:
        raise _refused(f"It is larger than {LARGEST_DOCUMENT // 1024 // 1024} MB. Make it smaller.")
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-1024:]:
        raise _refused("This is not a PDF. Save the text as PDF and choose that file.")
    try:
        with pikepdf.open(BytesIO(content)) as pdf:
            if pdf.is_encrypted:
                raise _refused("It is locked with a password. Save it without one.")
            if any(_is_active(thing) for thing in pdf.objects):
                raise _refused(
                    "It carries scripts or other files. Print it to a new PDF and choose that one."
                )
            pages = len(pdf.pages)
    except pikepdf.PasswordError as error:
        raise _refused("It is locked with a password. Save it without one.") from error
    except pikepdf.PdfError as error:
        raise _refused("It cannot be read: the file is damaged. Save it again.") from error
    if not pages:
        raise _refused("It has no page.")
    return Document(content, pages)


def _is_active(thing: pikepdf.Object) -> bool:
    """Whether an object, or one written inside it, acts. Objects it points to are looked at on their own."""
    waiting = [thing]
    while waiting:
        found = waiting.pop()
        if isinstance(found, pikepdf.Array):
            children = list(found)
        elif isinstance(found, pikepdf.Dictionary | pikepdf.Stream):
            entries = dict(found.stream_dict if isinstance(found, pikepdf.Stream) else found)
            if ACTIVE & (entries.keys() | {str(entries.get("/S", ""))}):
                return True
            children = list(entries.values())
        else:
            continue
        waiting += [
            child for child in children if isinstance(child, pikepdf.Object) and not child.is_indirect
        ]
    return False


def _refused(sentence: str) -> Invalid:
    return Invalid("The PDF cannot be taken.", fields={"document": [sentence]})
