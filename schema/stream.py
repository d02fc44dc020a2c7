"""What every stream has in common."""

import strawberry

from app.domain.events import Gap


@strawberry.interface(description="An event of a stream. `seq` grows by one from event to event.")
class StreamEvent:
    seq: int = strawberry.field(
        description="The event's number; resume behind it with `after: seq`."
    )


@strawberry.type(
    description="Events `from` to `to` are not delivered; a fresh snapshot follows at once."
)
class StreamGap(StreamEvent):
    from_seq: int = strawberry.field(name="from", description="The first event that is missing.")
    to_seq: int = strawberry.field(name="to", description="The last event that is missing.")

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, Gap)
