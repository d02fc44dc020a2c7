"""One edit, thousands of watchers: what it costs, ours beside two other ways to do it.

`python -m bench.fanout` starts each server in turn as a process of its own, on one MongoDB, and has
the same listeners watch one workflow while it is edited. All three write an edit the same way: the
workflow and the event, in one transaction that a majority has journaled. They differ in what
follows. `ours` is `kubeorch serve`. `plain` opens a change stream per subscriber, as tutorials do.
`yoga` publishes within its process, through the in-memory pub/sub of graphql-yoga. Ours alone asks
who is calling.

Reads `/proc`, so it runs on Linux; needs Node.js with npm for `yoga`, which is else left out.
"""
