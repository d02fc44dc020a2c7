"""What is deployed, after the deploy: how it is now, and how far it has moved from what was meant.

One process at a time looks after a cluster, under a lease; what it sees goes into the database, and
from there to everybody who asks or listens.
"""
