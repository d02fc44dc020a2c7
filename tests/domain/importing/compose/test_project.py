"""What makes an application: include, extends, profiles and names; and what is refused."""

from typing import Any

import pytest

from app.domain.editing import Limits
from app.domain.errors import Invalid, LimitExceeded
from app.domain.importing.compose.report import MOST_NOTES
from tests.domain.importing.compose.reading import (
    nodes,
    notes,
    read,
    read_service,
    service,
    workload,
    written,
)

REFUSED = {
    "": "The file is empty: begin with 'services:'.",
    "- a": "A compose file is a mapping: begin with 'services:'.",
    "text": "A compose file is a mapping: begin with 'services:'.",
    "a: b": "There are no services: a compose file has at least one.",
    "services:": "There are no services: a compose file has at least one.",
    "services: {}": "There are no services: a compose file has at least one.",
    "services: [a]": "There are no services: a compose file has at least one.",
}


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_what_is_no_compose_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(text)
    assert [(p.path, p.message) for p in refused.value.problems] == [(("content",), message)]


@pytest.mark.parametrize("text", ["services: [", "services: {a: 1, a: 2}", "a: !reset b"])
def test_yaml_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(text)
    assert refused.value.problems[0].path == ("content",)


def test_a_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        read(written({"include": ["more.yaml"]}), files={"./more.yaml": "services: ["})
    assert refused.value.problems[0].path == ("files", "more.yaml")


@pytest.mark.parametrize("content", [None, "text", 5, [], {}, {"command": "x"}, {"provider": {}}])
def test_a_service_without_a_container_is_left_out(content: Any) -> None:
    result = read(written({"services": {"web": content}}))
    assert not result.canvas.nodes
    assert [(n.code.value, n.path) for n in result.notes] == [("unsupported", ("services", "web"))]


def test_more_services_than_a_workflow_holds() -> None:
    services = {f"s{i}": {"image": "a"} for i in range(4)}
    assert len(read(written({"services": services}), limits=Limits(nodes=4)).canvas.nodes) == 4
    with pytest.raises(LimitExceeded) as refused:
        read(written({"services": services}), limits=Limits(nodes=3))
    assert refused.value.limit == 3
    with pytest.raises(LimitExceeded):
        read(service(ports=["80"]), limits=Limits(nodes=1))


def test_later_documents_go_over_earlier_ones() -> None:
    first = written({"name": "one", "services": {"web": {"image": "a", "scale": 2}}})
    second = written({"services": {"web": {"image": "b"}, "other": {"image": "c"}}})
    result = read(f"{first}---\n{second}")
    assert result.name == "one"
    assert nodes(result, "deployment") == {"web": {"replicas": 2}, "other": {}}


def test_the_name_of_the_project() -> None:
    assert read(written({"name": "a$B", "services": {"x": {"image": "x"}}})).name == "a"
    result = read(
        service(environment=["N=$COMPOSE_PROJECT_NAME"]), variables={"COMPOSE_PROJECT_NAME": "p"}
    )
    assert result.name == "p"
    assert workload(result)["env"] == {"N": "p"}


# ------------------------------------------------------------------------------------------ extends

BASE = {
    "image": "base",
    "command": ["a", "b"],
    "environment": {"A": "1", "B": "1"},
    "ports": ["1"],
    "labels": ["a=1", "b=1"],
    "volumes": ["one:/d", "./gone:/e"],
    "deploy": {"replicas": 2, "resources": {"limits": {"memory": "1g"}}},
    "depends_on": ["x"],
    "tmpfs": "/t",
}
OVER = {
    "extends": "base",
    "command": ["c"],
    "environment": ["B=2", "C=2"],
    "ports": ["2", "1"],
    "labels": {"b": "2"},
    "volumes": ["two:/d"],
    "deploy": {"replicas": 3, "resources": {"limits": {"cpus": "1"}}},
    "depends_on": {"y": {"condition": "service_started"}},
    "tmpfs": ["/t", "/u"],
    "image": None,
}


def test_a_service_goes_over_the_one_it_extends() -> None:
    services = {"base": BASE, "web": OVER, "x": {"image": "x"}, "y": {"image": "y"}}
    volumes = {"one": {}, "two": {}}
    result = read(written({"services": services, "volumes": volumes}))
    web = nodes(result, "deployment")["web"]
    claims = {n.id: n.data.name for n in result.canvas.nodes.values()}
    assert [claims[m["node_id"]] for m in web.pop("volume_mounts")] == ["two"]
    assert web == {
        "args": ["c"],
        "env": {"A": "1", "B": "2", "C": "2"},
        "annotations": {"a": "1", "b": "2"},
        "replicas": 3,
        "resources": {"limits": {"memory": "1Gi", "cpu": "1"}},
        "port": 1,
        "container_ports": [{"port": 2}],
    }
    images = [getattr(n.data, "image", None) for n in result.canvas.nodes.values()]
    assert images.count("base") == 2
    base_claims = [m["mount_path"] for m in nodes(result, "deployment")["base"]["volume_mounts"]]
    assert base_claims == ["/d"]


def test_notes_lead_to_where_a_thing_is_written() -> None:
    text = written(
        {"services": {"web": {"extends": {"service": "b", "file": "x/b.yaml"}, "tty": True}}}
    )
    result = read(text, files={"x/b.yaml": "services: {b: {image: b, init: true, env_file: b.env}}",
                               "x/b.env": "A=1"})  # fmt: skip
    assert [".".join(note.path) for note in result.notes] == [
        "services.web.tty",
        "services.web.extends.file.services.b.init",
    ]
    assert workload(result) == {"env": {"A": "1"}}
    assert {note.node_id for note in result.notes} == set(result.canvas.nodes)


@pytest.mark.parametrize(
    ("extends", "code"),
    [
        ("gone", "missing"),
        ("web", "ignored"),
        ({"service": "b", "file": "gone.yaml"}, "missing"),
        ({"service": "gone", "file": "b.yaml"}, "missing"),
        ({"file": "b.yaml"}, "missing"),
        ([], "ignored"),
        (5, "missing"),
    ],
    ids=str,
)
def test_what_cannot_be_extended_has_a_note(extends: Any, code: str) -> None:
    result = read(service(extends=extends), files={"b.yaml": "services: {b: {image: b}}"})
    assert len(result.canvas.nodes) == 1
    assert code in [note.code.value for note in result.notes if "extends" in note.path]


def test_services_that_extend_each_other_in_a_circle() -> None:
    services = {"a": {"extends": "b", "image": "a"}, "b": {"extends": "a", "image": "b"}}
    result = read(written({"services": services}))
    assert list(nodes(result, "deployment")) == ["a", "b"]
    assert [note.message for note in result.notes] == [
        "The service extends itself: it is left out."
    ]


def test_what_extending_makes_of_a_file_is_bounded() -> None:
    big = {"image": "a", "environment": {f"V{i}": "x" for i in range(2_000)}}
    services = {"base": big} | {f"s{i}": {"extends": "base"} for i in range(900)}
    with pytest.raises(Invalid, match="holds more than 200000 values"):
        read(written({"services": services}))


# ------------------------------------------------------------------------------------------ include


def test_a_file_that_is_included_has_its_own_folder_and_variables() -> None:
    text = written({"include": [{"path": "sub/c.yaml", "env_file": "sub/c.env"}]})
    files = {
        "sub/c.yaml": "services: {web: {image: 'a:$TAG', env_file: web.env}}",
        "sub/c.env": "TAG=2",
        "sub/web.env": "A=1",
    }
    result = read(text, files=files)
    assert workload(result) == {"env": {"A": "1"}}
    assert notes(result) == []
    assert notes(read(text, files=files, variables={"TAG": "3"})) == []


def test_the_file_goes_over_what_it_includes() -> None:
    text = written({"include": ["c.yaml"], "services": {"web": {"scale": 3}}})
    result = read(text, files={"c.yaml": "services: {web: {image: a, scale: 2}, b: {image: b}}"})
    assert nodes(result, "deployment") == {"web": {"replicas": 3}, "b": {}}


def test_a_file_that_includes_itself_is_refused() -> None:
    files = {"a.yaml": "include: [b.yaml]", "b.yaml": "include: [a.yaml]"}
    with pytest.raises(Invalid, match="includes itself"):
        read(written({"include": ["a.yaml"]}), files=files)


def test_files_that_include_each_other_many_times_are_refused() -> None:
    files = {f"{i}.yaml": f"include: [{i + 1}.yaml, {i + 1}.yaml]" for i in range(30)}
    with pytest.raises(Invalid, match="More than 64 files"):
        read(written({"include": ["0.yaml"]}), files=files)


# ---------------------------------------------------------------------------------- profiles, names


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ({}, ["a"]),
        ({"profiles": ["x"]}, ["a", "b"]),
        ({"profiles": ["y"]}, ["a", "b", "c"]),
        ({"profiles": ["*"]}, ["a", "b", "c"]),
        ({"variables": {"COMPOSE_PROFILES": "x,z"}}, ["a", "b"]),
        ({"files": {".env": "COMPOSE_PROFILES=x"}}, ["a", "b"]),
    ],
    ids=str,
)
def test_services_are_chosen_by_profile(given: dict[str, Any], chosen: list[str]) -> None:
    services = {
        "a": {"image": "a", "profiles": []},
        "b": {"image": "b", "profiles": ["x", "y"]},
        "c": {"image": "c", "profiles": ["y"]},
    }
    result = read(written({"services": services}), **given)
    assert list(nodes(result, "deployment")) == chosen
    left_out = [".".join(note.path) for note in result.notes]
    assert left_out == [f"services.{name}" for name in services if name not in chosen]


@pytest.mark.parametrize(
    ("depends_on", "missing"),
    [
        (["gone"], ["services.web.depends_on.0"]),
        ({"gone": {"condition": "service_healthy"}}, ["services.web.depends_on.gone"]),
        ({"gone": {"condition": "service_healthy", "required": False}}, []),
        (["web"], []),
    ],
    ids=str,
)
def test_a_service_that_is_waited_for_is_there(depends_on: Any, missing: list[str]) -> None:
    result = read_service(depends_on=depends_on)
    assert [".".join(n.path) for n in result.notes if n.code.value == "missing"] == missing


def test_names_become_those_of_objects_and_are_not_taken_twice() -> None:
    services = {
        name: {"image": "a", "expose": [80]} for name in ("my_db", "my-db", "MY.DB", "1", "_")
    }
    result = read(written({"services": services}))
    names = ["my-db-2", "my-db", "my-db-3", "app-1", "app"]
    assert list(nodes(result, "deployment")) == list(nodes(result, "service")) == names


def test_a_long_name_of_a_database_leaves_room() -> None:
    name = "x" * 70
    content = {name: {"image": "postgres", "volumes": ["pg:/var/lib/postgresql/data"]}}
    result = read(written({"services": content}))
    assert list(nodes(result, "statefulset")) == ["x" * 52]
    assert list(nodes(result, "service")) == ["x" * 63]


def test_other_names_of_a_service_are_services_too() -> None:
    services = {
        "db": {
            "image": "postgres",
            "container_name": "shop_db",
            "hostname": "unused",
            "networks": {"default": {"aliases": ["database", "web"]}},
        },
        "web": {"image": "a", "links": ["db:sql"], "environment": {"URL": "x://shop_db/x"}},
    }
    result = read(written({"services": services}))
    assert nodes(result, "service") == {
        name: {"port": 5432} for name in ("db", "database", "sql", "shop-db")
    }
    assert workload_of(result, "web")["env"] == {"URL": "x://shop-db/x"}
    assert notes(result, "services.db.networks") == [
        "changed services.db.networks.default.aliases.1: Another service is called web: this name "
        "leads there."
    ]
    assert notes(result, "services.db.hostname") == [
        "ignored services.db.hostname: Pods are called by the cluster: it is left out."
    ]


def workload_of(imported: Any, name: str) -> dict[str, Any]:
    return nodes(imported, "deployment")[name]


def test_only_so_many_notes_are_told() -> None:
    result = read_service(**{f"unknown{i}": 1 for i in range(MOST_NOTES + 10)})
    assert len(result.notes) == MOST_NOTES + 1
    assert result.notes[-1].message == (
        "10 more notes are left out: correct the source and read it again."
    )


def test_no_two_boxes_overlap_and_arrows_lead_to_the_right() -> None:
    services = {
        f"s{i}": {
            "image": "a",
            "ports": ["80"],
            "volumes": ["all:/all", f"own{i}:/own"],
            "secrets": ["t"],
        }
        for i in range(12)
    }
    content = {"services": services, "secrets": {"t": {"file": "t"}}, "volumes": {"all": {}}}
    canvas = read(written(content)).canvas
    places = {node.id: (node.position.x, node.position.y) for node in canvas.nodes.values()}
    assert len(set(places.values())) == len(places) == 12 * 3 + 2
    points = list(places.values())
    assert all(
        abs(x - u) >= 340 or abs(y - v) >= 96
        for i, (x, y) in enumerate(points)
        for u, v in points[:i]
    )
    assert all(places[e.source][0] < places[e.target][0] for e in canvas.edges.values())


def test_workloads_whose_names_are_cut_are_not_called_alike() -> None:
    volumes = ["data:/var/lib/postgresql/data"]
    services: dict[str, Any] = {
        "x" * 52 + end: {"image": "postgres", "volumes": [f"{end}{end}:/var/lib/postgresql/data"]}
        for end in ("a", "b")
    }
    services["x" * 52] = {"image": "postgres", "volumes": volumes}
    result = read(written({"services": services}))
    assert sorted(nodes(result, "statefulset")) == ["x" * 50 + "-2", "x" * 50 + "-3", "x" * 52]
    assert sorted(nodes(result, "service")) == sorted(services)
