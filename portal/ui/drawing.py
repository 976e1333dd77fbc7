"""What the template tags share: components as templates, and the content of block tags."""

from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString


def component(name: str, /, **context: Any) -> SafeString:
    """A template of templates/components/ drawn with exactly this context."""
    return render_to_string(f"components/{name}.html", context)


def inner(content: str) -> SafeString:
    """A block tag's content without the white space round it. It is rendered, escaped output already."""
    # strip() alone would lose the mark that says so.
    return SafeString(content.strip())
