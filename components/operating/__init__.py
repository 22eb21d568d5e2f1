"""What the one who runs the app sees of it: its health, its figures, its log, its way to stop.

Nothing in here decides anything about a call.
"""
