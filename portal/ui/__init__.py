"""What the template tags compute before a template draws it."""
