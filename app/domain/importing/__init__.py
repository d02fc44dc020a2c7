"""What people already have, read as a canvas: Kubernetes manifests and compose files.

A reader never stops at what it does not know. It draws what it can, and its notes name every part
of the source that the canvas does not carry, so that nothing gets lost in silence.
"""
