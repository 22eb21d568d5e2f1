"""The socket to the Realtime server, what waits to be sent to it, and the record of its events.

Rule: carries events; what they mean is decided in `core`.
"""
