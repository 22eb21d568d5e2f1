"""The words of the wire: events, session options, failures, usage, prices.

Rule: pure, and without memory: what is said here depends on the arguments alone.
"""
