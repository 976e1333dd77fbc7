"""What onboarding knows of the customer a case is about; compliance/dossier.py puts it on the case page."""
