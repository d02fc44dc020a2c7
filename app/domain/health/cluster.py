"""Objects of the whole cluster: definitions of custom resources, and namespaces."""

from app.domain.health.seen import Seen, said, word
from app.domain.health.verdict import Health, HealthState


def definition(seen: Seen) -> Health:
    """A CustomResourceDefinition."""
    names, established = seen.condition("NamesAccepted"), seen.condition("Established")
    if names.get("status") == "False":
        message = f"Its names are taken: {said(names) or 'choose others'}."
        return Health(HealthState.ERROR, word(names, "reason") or "NamesNotAccepted", message)
    if established.get("status") == "True":
        return Health(HealthState.HEALTHY, "Established", "The cluster serves its resources.")
    reason = word(established, "reason")
    if established.get("status") == "False" and reason != "Installing":
        words = said(established)
        message = f"The cluster does not serve its resources{f': {words}' if words else ''}."
        return Health(HealthState.ERROR, reason or "NotEstablished", message)
    return Health(HealthState.PENDING, "Installing", "It is being installed.")


def namespace(seen: Seen) -> Health:
    """A Namespace."""
    if word(seen.status, "phase") == "Terminating":
        message = "It is being deleted, with everything in it."
        return Health(HealthState.TERMINATING, "Deleting", message)
    return Health(HealthState.HEALTHY, "Active", "The namespace is there.")
