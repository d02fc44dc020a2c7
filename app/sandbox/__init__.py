"""The sandbox cluster: an emulated Kubernetes API, for those who have no cluster.

Objects live, move and fail in it as they would in a real one, but nothing is ever executed.
"""
