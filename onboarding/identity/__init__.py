"""The identity check by document: its links, what clock and provider make of them, and who asks for new ones."""
