"""The Realtime API without its wire: sessions, items, turns and responses of the practice server.

Rule: pure. Shares no code with the app's own side of the wire.
"""
