"""Amounts of compute: `deploy.resources`, and the older keys of the service itself."""

from decimal import Decimal, InvalidOperation

from app.domain import quantity
from app.domain.importing.compose.part import Part

_OWN = {
    ("limits", "cpu"): "cpus",
    ("limits", "memory"): "mem_limit",
    ("requests", "memory"): "mem_reservation",
}


def read_resources(service: Part) -> dict[str, dict[str, str]] | None:
    """Limits and requests. What `deploy` says goes over the service's own keys."""
    found: dict[tuple[str, str], tuple[str, Part]] = {}
    _read_quota(service, found)
    for place, key in _OWN.items():
        _put(found, place, service.get(key))
    deploy = service.section("deploy")
    resources = deploy.section("resources") if deploy is not None else None
    for side, key in (("limits", "limits"), ("requests", "reservations")):
        section = resources.section(key) if resources is not None else None
        for name, word in (("cpu", "cpus"), ("memory", "memory")):
            _put(found, (side, name), section.get(word) if section is not None else None)
    made: dict[str, dict[str, str]] = {}
    for (side, name), (amount, part) in found.items():
        most = found.get(("limits", name), (amount, part))[0]
        if quantity.amount(amount) > quantity.amount(most):
            part.changed(f"More is reserved than is allowed: {most} is requested.")
        smaller = min(amount, most, key=quantity.amount)
        made.setdefault(side, {})[name] = smaller
    return made or None


def _put(
    found: dict[tuple[str, str], tuple[str, Part]], place: tuple[str, str], part: Part | None
) -> None:
    """An amount in its place; zero means no limit, which is said by leaving it out."""
    if part is None:
        return
    amount = part.size() if place[1] == "memory" else _cores(part)
    if amount is None or not quantity.amount(amount):
        return
    before = found.get(place)
    if before is not None and before[0] != amount:
        before[1].ignored("Another key says the same amount otherwise, and goes over this one.")
    found[place] = (amount, part)


def _cores(part: Part) -> str | None:
    text = part.text()
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or not 0 <= number <= 1_000_000:
        part.ignored("Write a number of cores such as 0.5: it is left out.")
        return None
    return _millis(number)


def _millis(cores: Decimal) -> str:
    millis = int((cores * 1000).to_integral_value(rounding="ROUND_CEILING"))
    return str(millis // 1000) if millis % 1000 == 0 else f"{millis}m"


def _read_quota(service: Part, found: dict[tuple[str, str], tuple[str, Part]]) -> None:
    """Microseconds of computing in each period, as cores."""
    quota, period = service.get("cpu_quota"), service.get("cpu_period")
    if quota is None:
        if period is not None:
            period.ignored("There is no quota that it belongs to.")
        return
    taken = quota.count()
    of = period.count() if period is not None else 100_000
    if taken and of:
        found["limits", "cpu"] = (_millis(Decimal(taken) / of), quota)
