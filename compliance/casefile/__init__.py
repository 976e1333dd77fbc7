"""The case file: everything about a case in one signed archive that an examiner can check without us.

`hooks` is what apps and new tables add to it; the rest collects, draws, proves, packs and signs.
"""
