"""Clusters: connect, discover, apply, watch. The only room that knows the Kubernetes client."""
