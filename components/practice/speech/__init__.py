"""Ears, voice and speech detection of the practice server, and the processes they run in.

Rule: sound and text only; knows neither sessions nor the wire.
"""
