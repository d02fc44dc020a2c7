"""The pretended node: it takes pods, lets their containers live, fail and talk, and ends them."""

NAME = "sandbox-1"
ADDRESS = "192.0.2.1"
NETWORK = "198.51.100"
"""The pods' addresses begin so: a range that is reserved for documentation, as the node's is."""
NOTHING_RUNS = "This cluster is a sandbox: nothing in it is executed."
