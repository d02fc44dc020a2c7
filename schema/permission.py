"""What the caller may do, and if not, why: the same answer for every noun."""

import strawberry


@strawberry.type(name="Permission", description="Whether the caller may, and if not, why.")
class PermissionType:
    allowed: bool
    reason: str | None
