"""A front end in miniature: signs in, sends documents over HTTP."""

from dataclasses import dataclass
from typing import Any, Protocol, Self

import httpx

from tests.contract import operations
from tests.secrecy import search

OPERATIONS = operations()


class Reachable(Protocol):
    """A running server and somebody who may sign in there."""

    @property
    def url(self) -> str: ...

    @property
    def email(self) -> str: ...

    @property
    def password(self) -> str: ...


@dataclass(frozen=True)
class Client:
    """Somebody at a server; without a token, nobody."""

    http: httpx.AsyncClient
    url: str
    token: str | None = None

    @classmethod
    async def sign_in(cls, http: httpx.AsyncClient, server: Reachable) -> Self:
        return await cls(http, server.url).signed_in(server.email, server.password)

    async def signed_in(self, email: str, password: str) -> Self:
        answer = await self.one("Login", input={"email": email, "password": password})
        return type(self)(self.http, self.url, answer["session"]["accessToken"])

    async def send(self, document: str, **variables: Any) -> httpx.Response:
        """The response to a document, which may be the name of a front-end operation."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        response = await self.http.post(
            self.url,
            headers=headers,
            json={"query": OPERATIONS.get(document, document), "variables": variables},
        )
        search("an answer", response.content)
        return response

    async def __call__(self, document: str, **variables: Any) -> dict[str, Any]:
        """The data; fails on any error."""
        answer = (await self.send(document, **variables)).json()
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    async def one(self, document: str, **variables: Any) -> Any:
        """The value of the only root field."""
        (value,) = (await self(document, **variables)).values()
        return value
