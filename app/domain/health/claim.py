"""PersistentVolumeClaims.

A claim whose class binds on first use waits for a pod, and a pod that lacks its volume says so
itself: so waiting is advisory, unless the class is known to bind at once.
"""

from app.domain.health.seen import Seen, word
from app.domain.health.verdict import Cause, CauseSeverity, Health, HealthState


def claim(seen: Seen) -> Health:
    """A PersistentVolumeClaim; related is its StorageClass."""
    phase = word(seen.status, "phase")
    if phase == "Bound":
        volume = word(seen.spec, "volumeName")
        message = f"Bound to the volume {volume}." if volume else "Bound to a volume."
        return Health(HealthState.HEALTHY, "Bound", message)
    if phase == "Lost":
        message = "Its volume is gone, with the data. Make a new claim, or restore the volume."
        return Health(HealthState.ERROR, "ClaimLost", message)
    modes = {word(c, "volumeBindingMode") for c in seen.of_kind("StorageClass")}
    if "WaitForFirstConsumer" in modes or seen.told(seen.object, "WaitForFirstConsumer"):
        message = "It gets its volume when the first pod uses it."
        health = Health(HealthState.PENDING, "WaitForFirstConsumer", message, advisory=True)
    else:
        message = f"It has no volume yet (phase {phase or 'unknown'})."
        health = Health(HealthState.PENDING, "NotBound", message, advisory="Immediate" not in modes)
    trouble = seen.told(seen.object, "ProvisioningFailed", "FailedBinding")
    if not trouble:
        return health
    says = f"The cluster says: {trouble[0]}."
    hint = "Choose a storage class that the cluster has, or one that makes volumes by itself."
    return health.because([Cause(CauseSeverity.ERROR, "ProvisioningFailed", says, hint)])
