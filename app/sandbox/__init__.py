"""The sandbox cluster: an emulated Kubernetes API, for those who have no cluster.

Objects live, move and fail in it as they would in a real one, but nothing is ever executed. A
write travels: `web` (path, options, body) → `patches` or `ownership` (what it makes of the live
object, and whose fields are whose) → `admission` (defaults, what the server gives, validation,
immutability) → `store` (versions, history). Then things move: `controllers` and the pretended
`node` look at what has changed through `world`, and write to the store themselves. `schemas` knows
the types of all fields, `selectors` which objects somebody asks for, `resources` the kinds.
"""
