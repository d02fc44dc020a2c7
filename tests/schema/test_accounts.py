"""The front end's account operations, as written, against the schema; and who sees what of whom."""

from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema

import schema
from app.documents.clusters import ClusterStore
from app.documents.database import new_id
from app.domain.cluster import AuthType, Cluster, ClusterRole, ClusterShare
from app.domain.user import Actor
from app.services import Services
from app.services.workflows import WorkflowDraft
from tests.asking import Asker, asker
from tests.commands import commands

PASSWORD = "correct horse battery staple"
ADA = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
ADA_MD5 = "3e3417d7ef77d5932a6734b916515ed5"


@pytest.fixture
def nobody(services: Services) -> Asker:
    return asker(services, None)


async def register(nobody: Asker, name: str) -> dict[str, Any]:
    made = await nobody.one(
        "Register",
        input={"name": name, "email": f"{name.lower()}@example.com", "password": PASSWORD},
    )
    assert made["__typename"] == "RegisterPayload", made
    return dict(made)


async def signed_in(services: Services, session: dict[str, Any]) -> Asker:
    """The bearer of the session's access token."""
    return asker(services, (await services.accounts.actor_of(session["accessToken"])).actor)


# The front end's operations


async def test_registering_answers_a_session_and_ones_own_account(
    services: Services, nobody: Asker
) -> None:
    made = await register(nobody, "Ada")
    user = made["user"]
    assert user == {
        "id": user["id"],
        "name": "Ada",
        "email": "ada@example.com",
        "role": "ADMIN",
        "avatarUrl": f"https://www.gravatar.com/avatar/{ADA_MD5}?s=200&d=identicon",
        "authProvider": None,
        "createdAt": user["createdAt"],
        "updatedAt": user["createdAt"],
    }
    ada = await signed_in(services, made["session"])
    assert await ada.one("Viewer") == user
    expires_at = datetime.fromisoformat(made["session"]["expiresAt"])
    assert 890 < (expires_at - datetime.now(UTC)).total_seconds() <= 900


async def test_nobody_is_the_viewer_who_is_not_signed_in(nobody: Asker) -> None:
    assert await nobody.one("Viewer") is None


async def test_signing_in_refreshing_and_out(services: Services, nobody: Asker) -> None:
    made = await register(nobody, "Ada")
    came = await nobody.one("Login", input={"email": "ADA@example.com", "password": PASSWORD})
    assert came["__typename"] == "LoginPayload"
    assert came["user"] == made["user"]
    fresh = await nobody.one(
        "RefreshSession", input={"refreshToken": came["session"]["refreshToken"]}
    )
    assert fresh["__typename"] == "RefreshSessionPayload"
    assert fresh["user"] == made["user"]

    ada = await signed_in(services, fresh["session"])
    assert await ada.one("Logout", input={}) == {"__typename": "LogoutPayload", "ok": True}
    assert await ada.one("Logout", input={}) == {"__typename": "LogoutPayload", "ok": True}
    gone = await nobody.one(
        "RefreshSession", input={"refreshToken": fresh["session"]["refreshToken"]}
    )
    assert (gone["__typename"], gone["path"]) == ("InvalidCredentials", ["refreshToken"])

    token = {"refreshToken": made["session"]["refreshToken"]}
    assert (await nobody.one("Logout", input=token))["ok"] is True
    assert (await nobody.one("RefreshSession", input=token))["code"] == "INVALID_CREDENTIALS"


async def test_changing_the_password(services: Services, nobody: Asker) -> None:
    made = await register(nobody, "Ada")
    ada = await signed_in(services, made["session"])
    wrong = await ada.one(
        "ChangePassword", input={"currentPassword": "wrong", "newPassword": "another good one"}
    )
    assert (wrong["__typename"], wrong["path"]) == ("InvalidCredentials", ["currentPassword"])
    short = await ada.one(
        "ChangePassword", input={"currentPassword": PASSWORD, "newPassword": "short"}
    )
    assert (short["__typename"], short["path"]) == ("ValidationError", ["newPassword"])
    done = await ada.one(
        "ChangePassword", input={"currentPassword": PASSWORD, "newPassword": "another good one"}
    )
    assert done["__typename"] == "ChangePasswordPayload"
    viewer = await (await signed_in(services, done["session"])).one("Viewer")
    assert viewer["id"] == made["user"]["id"]
    assert viewer["updatedAt"] > made["user"]["updatedAt"]


async def test_changing_the_profile(services: Services, nobody: Asker) -> None:
    made = await register(nobody, "Ada")
    await register(nobody, "Bob")
    ada = await signed_in(services, made["session"])
    named = await ada.one("UpdateProfile", input={"name": " Ada Lovelace "})
    assert named["user"]["name"] == "Ada Lovelace"
    assert named["user"]["email"] == "ada@example.com"
    taken = await ada.one(
        "UpdateProfile", input={"email": "bob@example.com", "currentPassword": PASSWORD}
    )
    assert (taken["__typename"], taken["code"], taken["path"]) == (
        "Conflict",
        "CONFLICT",
        ["email"],
    )
    bare = await ada.one("UpdateProfile", input={"email": "new@example.com"})
    assert (bare["__typename"], bare["path"]) == ("ValidationError", ["currentPassword"])


async def test_an_admin_walks_through_everybody(services: Services, nobody: Asker) -> None:
    made = [await register(nobody, name) for name in ("Ada", "Bob", "Carol")]
    ada = await signed_in(services, made[0]["session"])
    first = await ada.one("Users", first=2)
    assert [edge["node"] for edge in first["edges"]] == [person["user"] for person in made[:2]]
    assert first["totalCount"] == 3
    assert first["pageInfo"] == {"hasNextPage": True, "endCursor": first["edges"][1]["cursor"]}
    rest = await ada.one("Users", first=2, after=first["pageInfo"]["endCursor"])
    assert [edge["node"]["name"] for edge in rest["edges"]] == ["Carol"]
    assert rest["pageInfo"]["hasNextPage"] is False
    found = await ada.one("Users", first=2, search="car")
    assert [edge["node"]["name"] for edge in found["edges"]] == ["Carol"]
    assert found["totalCount"] == 1
    none = await ada.one("Users", first=2, search="nobody")
    assert none["edges"] == []
    assert none["pageInfo"] == {"hasNextPage": False, "endCursor": None}


INVITE = """mutation ($input: CreateInviteInput!) { createInvite(input: $input) { __typename
  ... on CreateInvitePayload { invite { code email expiresAt } }
  ... on UserError { code message path } } }"""


async def test_inviting(services: Services, nobody: Asker) -> None:
    ada = await signed_in(services, (await register(nobody, "Ada"))["session"])
    bob = await signed_in(services, (await register(nobody, "Bob"))["session"])
    made = await ada.one(INVITE, input={"email": "Carol@Example.com", "expiresInHours": 24})
    assert made["invite"]["email"] == "Carol@example.com"
    assert len(made["invite"]["code"]) == 43
    assert (await bob.one(INVITE, input={}))["code"] == "FORBIDDEN"
    assert (await nobody.one(INVITE, input={}))["code"] == "UNAUTHENTICATED"
    late = await ada.one(INVITE, input={"expiresInHours": 0})
    assert (late["code"], late["path"]) == ("VALIDATION_FAILED", ["expiresInHours"])


# What can go wrong


async def test_every_wrong_field_is_told_and_no_password_repeated(nobody: Asker) -> None:
    document = """mutation ($input: RegisterInput!) { register(input: $input) {
      ... on ValidationError { message path errors { path code message } } } }"""
    answer = await nobody.one(
        document, input={"name": "", "email": "x" * 255, "password": "Hunter2"}
    )
    assert [error["path"] for error in answer["errors"]] == [["name"], ["email"], ["password"]]
    assert "8" in answer["errors"][2]["message"]
    assert "Hunter2" not in str(answer)
    later = await nobody.one(
        document, input={"name": " ", "email": "nowhere", "password": "sunshine"}
    )
    assert [error["path"] for error in later["errors"]] == [["name"], ["email"], ["password"]]
    assert "sunshine" not in str(later)


@pytest.mark.parametrize(
    ("email", "password"),
    [("ada@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("nowhere", "")],
)
async def test_failing_to_sign_in_says_one_thing(nobody: Asker, email: str, password: str) -> None:
    await register(nobody, "Ada")
    assert await nobody.one("Login", input={"email": email, "password": password}) == {
        "__typename": "InvalidCredentials",
        "code": "INVALID_CREDENTIALS",
        "message": "The e-mail or the password is wrong.",
        "path": None,
    }


async def test_too_many_failures_say_when_to_try_again(nobody: Asker) -> None:
    document = """mutation ($input: LoginInput!) { login(input: $input) { __typename
      ... on RateLimited { code message retryAfter } } }"""
    wrong = {"email": "ada@example.com", "password": "wrong"}
    for _ in range(10):
        assert await nobody.one(document, input=wrong) == {"__typename": "InvalidCredentials"}
    limited = await nobody.one(document, input=wrong)
    assert limited["code"] == "RATE_LIMITED"
    assert 1 <= limited["retryAfter"] <= 900


async def test_an_address_that_is_taken(nobody: Asker) -> None:
    await register(nobody, "Ada")
    taken = await nobody.one("Register", input=ADA | {"email": "Ada@Example.COM"})
    assert (taken["__typename"], taken["path"]) == ("Conflict", ["email"])


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("ChangePassword", {"input": {"currentPassword": "x", "newPassword": "y" * 9}}),
        ("UpdateProfile", {"input": {"name": "Eve"}}),
    ],
)
async def test_what_needs_somebody_says_so_in_its_result(
    nobody: Asker, document: str, variables: dict[str, Any]
) -> None:
    assert (await nobody.one(document, **variables))["code"] == "UNAUTHENTICATED"


async def test_the_list_of_users_is_for_admins(services: Services, nobody: Asker) -> None:
    await register(nobody, "Ada")
    bob = await signed_in(services, (await register(nobody, "Bob"))["session"])
    for ask, code in ((bob, "FORBIDDEN"), (nobody, "UNAUTHENTICATED")):
        answer = await ask.raw("Users", first=1)
        assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
        assert not answer["data"]


@pytest.mark.parametrize(
    "variables", [{"first": 0}, {"first": 101}, {"first": -1}, {"first": 5, "after": "nonsense"}]
)
async def test_a_bad_page_is_refused_in_words(
    services: Services, owner: Actor, variables: dict[str, Any]
) -> None:
    answer = await asker(services, owner).raw("Users", **variables)
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "VALIDATION_FAILED"
    assert error["message"].startswith("after: " if "after" in variables else "first: ")


# Who sees what of whom

PERSON = "id name email role avatarUrl authProvider providerUserId createdAt updatedAt"


def test_a_user_has_these_fields_and_no_others() -> None:
    type_ = build_schema(schema.sdl()).type_map["User"]
    assert isinstance(type_, GraphQLObjectType)
    assert set(type_.fields) == {*PERSON.split(), "defaultCluster"}


async def test_one_sees_oneself_and_an_admin_everybody(services: Services, nobody: Asker) -> None:
    ada, bob = [(await register(nobody, name)) for name in ("Ada", "Bob")]
    document = f"query ($id: ID!) {{ user(id: $id) {{ {PERSON} }} }}"
    admin = await signed_in(services, ada["session"])
    other = await signed_in(services, bob["session"])
    seen = await admin.one(document, id=bob["user"]["id"])
    assert (seen["email"], seen["role"]) == ("bob@example.com", "USER")
    assert await other.one(document, id=bob["user"]["id"]) == seen
    assert await other.one(document, id=ada["user"]["id"]) is None
    assert await nobody.one(document, id=ada["user"]["id"]) is None
    for unknown in ("f" * 24, "no id", ""):
        assert await admin.one(document, id=unknown) is None


async def test_signing_in_as_somebody_shows_them_to_themselves(
    services: Services, nobody: Asker
) -> None:
    await register(nobody, "Ada")
    bob = await signed_in(services, (await register(nobody, "Bob"))["session"])
    came = await bob.one("Login", input={"email": "ada@example.com", "password": PASSWORD})
    assert came["user"]["email"] == "ada@example.com"


@pytest.mark.parametrize("shared", [True, False])
async def test_people_who_share_a_cluster_see_each_others_address_and_no_more(
    services: Services, owner: Actor, stranger: Actor, shared: bool
) -> None:
    now = datetime.now(UTC)
    cluster = Cluster(
        id=new_id(),
        name="lab",
        display_name="Lab",
        server="https://192.0.2.1:6443",
        auth_type=AuthType.TOKEN,
        owner_id=owner.id,
        shared_with=[ClusterShare(user_id=stranger.id, role=ClusterRole.DEPLOYER)],
        created_at=now,
        updated_at=now,
    )
    await ClusterStore().insert(cluster)
    made = await services.workflows.create(
        stranger, WorkflowDraft(name="Shop", cluster_id=cluster.id if shared else None)
    )
    document = """query ($id: ID!) { workflow(id: $id) {
      cluster { owner { name email role authProvider providerUserId } } } }"""
    seen = await asker(services, stranger).one(document, id=made.id)
    owned = {"name": "owner", "email": "owner@example.com"}
    private = {"role": None, "authProvider": None, "providerUserId": None}
    assert seen["cluster"] == ({"owner": owned | private} if shared else None)


# What it costs


async def test_an_authenticated_request_costs_one_command(
    services: Services, nobody: Asker
) -> None:
    session = (await register(nobody, "Ada"))["session"]
    with commands.during() as sent:
        ada = await signed_in(services, session)
        await ada("Viewer")
    assert sent == ["aggregate"]


async def test_a_list_is_counted_when_that_is_asked_for(services: Services, owner: Actor) -> None:
    ask = asker(services, owner)
    with commands.during() as uncounted:
        await ask("{ users(first: 5) { nodes { name email } pageInfo { startCursor } } }")
    assert uncounted == ["find"]
    with commands.during() as counted:
        await ask("{ users(first: 5) { totalCount edges { node { name } } } }")
    assert sorted(counted) == ["aggregate", "find"]
