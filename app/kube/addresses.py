"""Which addresses this server dials: the policy, free of any network code.

Whoever adds a cluster names an address that the server then connects to from the inside of its
network, so what may be named is decided here, and asked again for every single connection.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_METADATA = {
    # Services of clouds that hand credentials to whoever asks from inside; most are link-local.
    ip_address("100.100.100.200"),
    ip_address("168.63.129.16"),
    ip_address("192.0.0.192"),
    ip_address("fd00:ec2::254"),
    ip_address("fd20:ce::254"),
}
_PRIVATE = [
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "fc00::/7",
        "fec0::/10",
    )
]
_NEVER = [
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "::/128",
        "fe80::/10",
        "ff00::/8",
        "2001::/32",  # Teredo: leads to an IPv4 address that is somebody's choice
        "64:ff9b:1::/48",  # NAT64 of a local kind: where the IPv4 address stands is not known
    )
]
_SIX_TO_FOUR = IPv6Network("2002::/16")
_EMBEDS_LAST = [
    IPv6Network(text) for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
]
"""IPv4-compatible, IPv4-mapped, IPv4-translated and NAT64: the last 32 bits are an IPv4 address."""
_LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]

_NAME = (
    r"(?=[^/:?#]{1,253}(?:[/:?#]|$))[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(?:\.[A-Za-z0-9_-]{1,63})*\.?"
)
"""A host's name; longer parts are no names, and make resolvers raise."""
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|" + _NAME + ")"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~:@!$&'()*+,;=-]*)*)",
    re.IGNORECASE,
)
_NUMERIC_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?")
_LONGEST_URL = 2_048


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What is allowed beyond public addresses; what is always refused, no setting allows.

    `loopback` is this machine and `private` the networks of RFC 1918, RFC 6598 and their kin. With
    `plain_http_loopback`, `http` is spoken to loopback addresses, if they may be dialled at all.
    """

    loopback: bool = False
    private: bool = False
    plain_http_loopback: bool = False

    def refusal(self, address: str, *, plain_http: bool = False) -> str | None:
        """A sentence about why this IP address is not dialled, or None when it may be."""
        try:
            ip = ip_address(address.partition("%")[0])
        except ValueError:
            return "That is no IP address."
        if plain_http and not _is_loopback(ip):
            return "Plain http is for this machine only: use https."
        return next(filter(None, map(self._refusal, _meanings(ip))), None)

    def _refusal(self, ip: IPv4Address | IPv6Address) -> str | None:
        if ip in _METADATA or any(ip in network for network in _NEVER):
            return f"The address {ip} is never dialled: it is no address of an API server."
        if _is_loopback(ip) and not self.loopback:
            return f"The address {ip} is this machine, which this server is set not to dial."
        if not self.private and any(ip in network for network in _PRIVATE):
            return f"The address {ip} is private, and this server is set to dial public ones only."
        return None


def check_url(url: str, policy: AddressPolicy, *, query: bool = False) -> str | None:
    """A sentence about what is wrong with the URL of an API server or issuer, or None.

    Names are not resolved here: that is done, and checked, each time one is dialled. `query` lets a
    URL have one, as the token endpoints of some identity providers do.
    """
    wrong = _wrong_form(url, query=query)
    if wrong:
        return wrong
    found = _URL.match(url)
    assert found is not None  # noqa: S101  # told by _wrong_form
    host = found["host"].strip("[]")
    plain = found["scheme"].lower() == "http"
    if plain and not policy.plain_http_loopback:
        return "It has to begin with https://."
    if ":" in host or _NUMERIC_END.fullmatch(host):
        return policy.refusal(host, plain_http=plain)
    if plain and host.lower() != "localhost":
        return "Plain http is for this machine only: use https."
    return None


def check_server_name(name: str) -> str | None:
    """A sentence about why this can't be the name that a certificate is for, or None."""
    if re.fullmatch(_NAME, name) and not name.endswith("."):
        return None
    return "This is no host name such as kubernetes.default.svc."


def _wrong_form(url: str, *, query: bool) -> str | None:
    """What the text itself has that it shouldn't: there is one way to read what passes."""
    rest = url.partition("://")[2]
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    checked = url.partition("?")[0] if query else url
    found = _URL.fullmatch(checked)
    rules = (
        (len(url) > _LONGEST_URL, f"It is longer than {_LONGEST_URL} characters."),
        (not re.match("https?://", url, re.IGNORECASE), "It has to begin with https://."),
        ("@" in authority, "It may not hold a user name or password."),
        ("#" in url or "?" in checked, "It may not have a query or fragment."),
        (not url.isascii(), "Write the host's name in its ASCII form, which begins with xn--."),
        (not url.isprintable() or " " in url, "It may not hold blanks."),
        (found is None, "It is no address such as https://cluster.example:6443."),
        (
            found is not None and not 1 <= int(found["port"] or 443) <= 65_535,
            "The port has to be from 1 to 65535.",
        ),
        (
            found is not None and {".", ".."} & set(found["path"].split("/")),
            "Its path may not have the parts '.' and '..'.",
        ),
    )
    return next((sentence for wrong, sentence in rules if wrong), None)


def _is_loopback(ip: IPv4Address | IPv6Address) -> bool:
    return any(ip in network for network in _LOOPBACK)


def _meanings(ip: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """The address, and the IPv4 address that it stands for."""
    if isinstance(ip, IPv4Address):
        return [ip]
    if ip in _SIX_TO_FOUR:
        return [ip, IPv4Address(int(ip) >> 80 & 0xFFFFFFFF)]
    if any(ip in network for network in _EMBEDS_LAST) and not _is_loopback(ip):
        return [IPv4Address(int(ip) & 0xFFFFFFFF)]
    return [ip]
