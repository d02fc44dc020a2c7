"""Properties are about answers, not about the time that a shared machine takes for one of them."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
