"""What a call decides: state in, events and time in, outputs out.

Rule: pure. No clock, socket, task, file or chance; every moment comes as `now`, in seconds.
"""
