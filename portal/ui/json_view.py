"""JSON as coloured HTML."""

import json
import re
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.html import escape
from django.utils.safestring import SafeString

TOKEN = re.compile(
    r'("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\btrue\b|\bfalse\b|\bnull\b)'
)


def highlight(data: Any) -> SafeString:
    """Indented JSON with keys, texts and other values marked; everything is escaped."""
    text = json.dumps(data, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)
    out: list[str] = []
    at = 0
    for match in TOKEN.finditer(text):
        out.append(escape(text[at : match.start()]))
        string, colon, other = match.groups()
        kind = "other" if other else "key" if colon else "string"
        out.append(f'<span class="json__{kind}">{escape(other or string)}</span>{colon or ""}')
        at = match.end()
    out.append(escape(text[at:]))
    return SafeString("".join(out))
