"""How long a deploy takes, side by side with what people have on their command line.

Needs `kubectl`. One run starts `kubeorch serve` with its sandbox cluster, which both contestants
talk to in turn.
"""
