"""KubeOrch: everything that would survive if GraphQL were replaced."""

__version__ = "0.1.0"
