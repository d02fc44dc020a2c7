"""What every stream has in common."""

import strawberry

from app.domain.events import EndReason, Gap, StreamEnded

strawberry.enum(EndReason, name="StreamEndReason", description=EndReason.__doc__)


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


@strawberry.type(
    name="StreamEnded",
    description="The last event of a stream that ended for a reason. `seq` is that of the event "
    "before it: what to come back with, where coming back makes sense.",
)
class StreamEndedType(StreamEvent):
    reason: EndReason

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, StreamEnded)
