"""Bringing existing customers over: files, their check, the import, its undoing, and what is still missing after."""
