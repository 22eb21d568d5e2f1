"""What the practice server answers: rules, or a chat endpoint with the rules to fall back on.

Rule: text in, text out; knows neither sound nor the wire.
"""
