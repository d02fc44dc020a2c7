"""The outbox that events are written to, and the hub that subscriptions read from."""
