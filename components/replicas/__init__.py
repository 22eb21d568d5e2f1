"""What several replicas of the app know together: places, what visitors have cost, what was said.

Nothing in here decides anything about a call, and no call waits for it longer than a moment: while
what is shared cannot be asked, each replica goes by what it knows itself.
"""
