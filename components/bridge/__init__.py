"""The bridged route: a browser's sound and words through this server to the Realtime server.

Rule: performs what `core` decides; decisions about a conversation do not belong here.
"""
