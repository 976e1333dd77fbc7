"""The controls of the stand-in: a JSON API for tests and a page for people, over the same actions."""
