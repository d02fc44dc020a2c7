"""The Kubernetes API over HTTP: what a path means, who may ask, and the answers."""
