import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import image

SHA256 = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    "text",
    [
        "nginx",
        "nginx:1.27",
        "library/nginx",
        "ghcr.io/org/app:v2",
        "registry.local:5000/app",
        "localhost/app",
        "localhost:5000/app:latest",
        "REGISTRY/app",
        "[::1]:5000/app",
        "127.0.0.1:5000/team/app",
        f"nginx@{SHA256}",
        f"nginx:1.27@{SHA256}",
        "x/a.b_c__d---e/f",
        "nginx:" + "t" * 128,
        "nginx:_underscore",
        "n" * 255,
        "r.io:65535/app",
        "a" * 63,
    ],
)
def test_reference(text: str) -> None:
    assert image.is_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " nginx",
        "nginx ",
        "nginx\n",
        "Nginx",
        "nginx:",
        "nginx:a b",
        "nginx:" + "t" * 129,
        "n" * 256,
        "nginx:-x",
        "nginx@sha256:abc",
        "nginx@sha256:" + "a" * 63,
        "nginx@sha256:" + "a" * 65,
        "nginx@sha256:" + "g" * 64,
        "a" * 64,
        "/nginx",
        "nginx/",
        "a//b",
        "a..b",
        "-nginx",
        "https://ghcr.io/app",
        "my_host:5000/app",
        "r.io:0/app",
        "r.io:65536/app",
        "r.io:x/app",
        "ghcr.io/Org/app",
        "nginx:1.27\napiVersion: v1",
    ],
)
def test_no_reference(text: str) -> None:
    assert not image.is_reference(text)


@given(st.text(alphabet="abcA1.:/@_-[]", max_size=2000))
def test_any_text_is_answered(text: str) -> None:
    assert image.is_reference(text) in {True, False}
