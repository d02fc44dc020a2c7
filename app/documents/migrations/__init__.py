"""Changes to stored documents that indexes and defaults cannot make, each run once, in order.

A migration is a file `<year><month><day><number>_<what>.py` with a class `Forward`, and `Backward`
where there is a way back, whose methods are Beanie's `iterative_migration` or
`free_fall_migration`. It names its own document classes: those of the program will have moved on.
"""
