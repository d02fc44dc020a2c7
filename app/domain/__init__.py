"""The pure middle: no I/O, no clock, no environment, no framework but pydantic."""
