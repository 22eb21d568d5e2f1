"""The practice server's addresses, sockets and WebRTC calls, and the process it runs in.

Rule: performs what `engine` decides.
"""
