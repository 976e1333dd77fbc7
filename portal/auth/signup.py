"""What sign-up asks besides e-mail and password. Alone in its module: allauth's own forms are built on it."""

import re
from typing import Any

from django import forms
from django.http import HttpRequest


class NameForm(forms.Form):
    """The name we greet the customer by; the legal name is asked for in the application."""

    name = forms.CharField(
        label="Your name", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )

    def clean_name(self) -> str:
        """Refuse what is no name: the name stands in mails we send, so it must carry no link."""
        name = " ".join(str(self.cleaned_data["name"]).split())
        if re.search(r"[/@<>]|\bwww\.", name, re.IGNORECASE):
            raise forms.ValidationError("Enter your name, without web or e-mail addresses.")
        return name

    def signup(self, request: HttpRequest, user: Any) -> None:
        """Called by allauth after the user is saved; the adapter has taken the name already."""
