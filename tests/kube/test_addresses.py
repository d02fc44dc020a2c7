"""Which addresses may be dialled, in every disguise that an address can have."""

import pytest

from app.kube.addresses import AddressPolicy, check_server_name, check_url

STRICT = AddressPolicy()
OPEN = AddressPolicy(loopback=True, private=True, plain_http_loopback=True)

NEVER = [
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "169.254.169.254",
    "169.254.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "2002:6464:64c8::",
    "2001:0:a9fe:a9fe::1",
    "::ffff:0.0.0.0",
    "nonsense",
]
LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1"]
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "fd12:3456::1",
    "fec0::1",
    "::ffff:10.0.0.1",
    "2002:0a00:0001::1",
    "64:ff9b::192.168.0.1",
]
PUBLIC = ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::1.1.1.1"]


@pytest.mark.parametrize("address", NEVER)
def test_no_setting_allows_these(address: str) -> None:
    assert OPEN.refusal(address) is not None


@pytest.mark.parametrize("address", LOOPBACK)
def test_this_machine_by_setting(address: str) -> None:
    assert STRICT.refusal(address) is not None
    assert AddressPolicy(private=True).refusal(address) is not None
    assert AddressPolicy(loopback=True).refusal(address) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_networks_by_setting(address: str) -> None:
    assert STRICT.refusal(address) is not None
    assert AddressPolicy(loopback=True).refusal(address) is not None
    assert AddressPolicy(private=True).refusal(address) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert STRICT.refusal(address) is None


def test_plain_http_goes_no_further_than_this_machine() -> None:
    assert OPEN.refusal("127.0.0.1", plain_http=True) is None
    assert OPEN.refusal("::1", plain_http=True) is None
    assert OPEN.refusal("10.0.0.1", plain_http=True) is not None
    assert OPEN.refusal("1.1.1.1", plain_http=True) is not None
    assert OPEN.refusal("::ffff:127.0.0.1", plain_http=True) is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://cluster.example",
        "https://cluster.example:6443",
        "https://cluster.example.:6443/",
        "HTTPS://Cluster.Example/k8s/clusters/c-m-1",
        "https://1.1.1.1:6443",
        "https://[2606:4700::1111]:6443/x",
        "https://my_cluster.example",
    ],
)
def test_addresses_of_api_servers(url: str) -> None:
    assert check_url(url, STRICT) is None


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "https://"),
        ("cluster.example", "https://"),
        ("ftp://cluster.example", "https://"),
        ("http://cluster.example", "https"),
        ("http://127.0.0.1", "https"),
        ("https://", "no address"),
        ("https://user@cluster.example", "user name"),
        ("https://user:secret@cluster.example", "user name"),
        ("https://cluster.example?x=1", "query"),
        ("https://cluster.example#x", "query"),
        ("https://cluster.example:0", "port"),
        ("https://cluster.example:65536", "port"),
        ("https://cluster.example:6443x", "no address"),
        ("https://cluster.example/a b", "blanks"),
        ("https://cluster.example/\n", "blanks"),
        ("https://cluster.example/a/../b", "'..'"),
        ("https://cluster.example/%2e%2e/b", "no address"),
        ("https://cluster.example\\@evil.example", "no address"),
        ("https://\uff11\uff12\uff17.0.0.1", "ASCII"),
        ("https://cl\u00fcster.example", "ASCII"),
        (f"https://{'a' * 64}.example", "no address"),
        (f"https://{'a.' * 130}example", "no address"),
        ("https://a..example", "no address"),
        ("https://.example", "no address"),
        ("https://127.0.0.1", "this machine"),
        ("https://127.1", "no IP address"),
        ("https://2130706433", "no IP address"),
        ("https://0x7f.0.0.1", "no IP address"),
        ("https://0x7f000001", "no IP address"),
        ("https://0177.0.0.1", "no IP address"),
        ("https://1.1.1.1.", "no IP address"),
        ("https://[::ffff:127.0.0.1]", "this machine"),
        ("https://[::1", "no address"),
        ("https://[fe80::1%25eth0]", "no address"),
        ("https://169.254.169.254", "never"),
        ("https://10.0.0.1", "private"),
        (f"https://{'a' * 3_000}", "longer"),
    ],
)
def test_what_is_wrong_is_said(url: str, sentence: str) -> None:
    told = check_url(url, STRICT)

    assert told is not None
    assert sentence in told
    assert "secret" not in told


@pytest.mark.parametrize("name", ["kubernetes", "a.b-c_d.example", "10.0.0.1", "a" * 63])
def test_names_of_servers(name: str) -> None:
    assert check_server_name(name) is None


@pytest.mark.parametrize(
    "name",
    ["", ".a", "a..b", "a b", "a\n", "\u00fc", "*.a", "a" * 64, "a." * 200, "a/b", "a:1", "a."],
)
def test_what_is_no_name_of_a_server(name: str) -> None:
    assert check_server_name(name) is not None


def test_plain_http_urls() -> None:
    assert check_url("http://127.0.0.1:8080", OPEN) is None
    assert check_url("http://localhost:8080", OPEN) is None
    assert check_url("http://[::1]:8080", OPEN) is None
    assert check_url("http://cluster.example", OPEN) is not None
    assert check_url("http://10.0.0.1", OPEN) is not None
    only_http = AddressPolicy(plain_http_loopback=True)
    assert check_url("http://127.0.0.1:8080", only_http) is not None


def test_only_token_endpoints_have_a_query() -> None:
    assert check_url("https://login.example/token?p=a", STRICT, query=True) is None
    assert check_url("https://login.example/token?p=a#b", STRICT, query=True) is not None
    assert check_url("https://u@login.example/token?p=a", STRICT, query=True) is not None
