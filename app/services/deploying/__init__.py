"""From a canvas to a cluster: plan, queue, apply, wait; each room knows the ones before it."""
