"""What is known of images by their name: the port they listen on, and whether they keep data."""

import re
from typing import NamedTuple

from app.domain.image import is_reference


class KnownImage(NamedTuple):
    """The port that the image's documentation names, and whether its pods keep data."""

    port: int
    keeps_data: bool = True


KNOWN = {
    **dict.fromkeys(("postgres", "postgresql", "postgis", "timescaledb"), KnownImage(5432)),
    **dict.fromkeys(("timescaledb-ha", "pgvector"), KnownImage(5432)),
    **dict.fromkeys(("mysql", "mysql-server", "mariadb", "percona"), KnownImage(3306)),
    **dict.fromkeys(("mongo", "mongodb", "percona-server-mongodb"), KnownImage(27017)),
    **dict.fromkeys(("redis", "valkey", "keydb", "redis-stack-server"), KnownImage(6379)),
    **dict.fromkeys(("elasticsearch", "opensearch"), KnownImage(9200)),
    **dict.fromkeys(("influxdb", "influxdb3-core"), KnownImage(8086)),
    **dict.fromkeys(("clickhouse", "clickhouse-server"), KnownImage(8123)),
    **dict.fromkeys(("cassandra", "scylla"), KnownImage(9042)),
    **dict.fromkeys(("kafka", "cp-kafka"), KnownImage(9092)),
    **dict.fromkeys(("zookeeper", "cp-zookeeper"), KnownImage(2181)),
    **dict.fromkeys(("cockroach", "cockroachdb"), KnownImage(26257)),
    "rabbitmq": KnownImage(5672),
    "nats": KnownImage(4222),
    "minio": KnownImage(9000),
    "etcd": KnownImage(2379),
    "couchdb": KnownImage(5984),
    "neo4j": KnownImage(7687),
    "mssql": KnownImage(1433),
    "meilisearch": KnownImage(7700),
    "qdrant": KnownImage(6333),
    "arangodb": KnownImage(8529),
    "rethinkdb": KnownImage(28015),
    "solr": KnownImage(8983),
    "memcached": KnownImage(11211, keeps_data=False),
}


def known(image: str) -> KnownImage | None:
    """What is known of an image, whoever published it."""
    name = image.partition("@")[0]
    last = name.rpartition("/")[2].partition(":")[0]
    for word in (last, *reversed(name.split("/")[:-1])):
        if word in KNOWN:
            return KNOWN[word]
    return None


def repaired(image: str, fallback: str) -> str:
    """The nearest image reference to a text, or one made of `fallback`."""
    text = re.sub(r"\s+", "", image).rstrip(":@/")
    for candidate in (text, text.lower(), text.partition("@")[0].rpartition(":")[0]):
        if candidate and is_reference(candidate):
            return candidate
    name = re.sub("[^a-z0-9]+", "-", fallback.lower())[:128].strip("-")
    return name if name and is_reference(name) else "image"
