"""Services and Ingresses: there as soon as they are applied, whether or not an address comes.

An address can stay out for ever where no controller gives one, so waiting for it is told and never
holds a run back.
"""

from app.domain.health.seen import Object, Seen, listed, part, word
from app.domain.health.verdict import Health, HealthState, Note

_SLICE_OF = "kubernetes.io/service-name"


def service(seen: Seen) -> Health:
    """A Service; related are its EndpointSlices."""
    notes = _endpoints(seen)
    if word(seen.spec, "type") != "LoadBalancer":
        return Health(HealthState.HEALTHY, "Created", "The service is there.").noting(*notes)
    if not word(seen.spec, "clusterIP"):
        message = "The service has no address in the cluster yet."
        return Health(HealthState.PENDING, "NoIPAssigned", message).noting(*notes)
    address = _address(seen)
    if address:
        message = f"Reachable at {address}."
        return Health(HealthState.HEALTHY, "AddressAssigned", message).noting(*notes)
    told = seen.told(seen.object, "SyncLoadBalancerFailed")
    why = f" The cluster says: {told[0]}." if told else ""
    message = (
        f"The cluster has not given it an outside address yet; without a load balancer it never "
        f"will.{why} Inside the cluster it works."
    )
    return Health(HealthState.PENDING, "NoIngress", message, advisory=True).noting(*notes)


def ingress(seen: Seen) -> Health:
    """An Ingress."""
    address = _address(seen)
    if address:
        return Health(HealthState.HEALTHY, "AddressAssigned", f"Reachable at {address}.")
    message = (
        "No ingress controller has published an address for it; some never do. If it stays so, "
        "check its class, and that the controller is installed."
    )
    return Health(HealthState.PENDING, "NoAddress", message, advisory=True)


def _address(seen: Seen) -> str:
    for entry in listed(part(seen.status, "loadBalancer"), "ingress"):
        if found := word(entry, "ip") or word(entry, "hostname"):
            return found
    return ""


def _endpoints(seen: Seen) -> list[Note]:
    """A service with a selector has at least one EndpointSlice, so none means: not asked for."""
    if not part(seen.spec, "selector") or word(seen.spec, "type") == "ExternalName":
        return []
    slices = [s for s in seen.of_kind("EndpointSlice") if _is_of(s, seen.name)]
    if not slices or any(_is_ready(e) for s in slices for e in listed(s, "endpoints")):
        return []
    message = "No ready pod is behind it: its selector matches none, or they are not ready yet."
    return [Note("NoReadyEndpoints", message)]


def _is_of(endpoint_slice: Object, name: str) -> bool:
    return word(part(endpoint_slice, "metadata", "labels"), _SLICE_OF) in {name, ""}


def _is_ready(endpoint: Object) -> bool:
    """A condition that is not said means ready, by the API's own rule."""
    return part(endpoint, "conditions").get("ready") is not False
