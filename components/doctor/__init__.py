"""Examines whether this app could hold a call here, and says what to do where it could not.

It tries what a call would need, one thing after the other, and spends no money. Nothing in here is
used while the app runs.
"""
