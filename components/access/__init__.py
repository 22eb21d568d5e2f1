"""Who may come in, with how much: connections, names, logins, rates, and what is open of Gradio.

Rule: decides about requests before any call exists; knows nothing of calls or of their sound.
"""
