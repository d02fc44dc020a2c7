"""What controllers and the kubelet stand on: the cluster as they see it, the queue of what is to be
looked at, pods and their owners, and the events that tell people what happened.
"""

from app.sandbox.world.world import Key, Trigger, World, key_of

__all__ = ["Key", "Trigger", "World", "key_of"]
