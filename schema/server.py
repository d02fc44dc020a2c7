"""What a client may want to know of the server itself."""

import strawberry

from app import __version__


@strawberry.type(description="The server and its limits.")
class ServerInfo:
    version: str = strawberry.field(description="Of this program.")


@strawberry.field(description="The server's version.")
def server_info() -> ServerInfo:
    return ServerInfo(version=__version__)


QUERIES = [server_info]
