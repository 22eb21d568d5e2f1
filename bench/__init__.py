"""Measures this app beside a plain fastrtc handler: `python -m bench`."""
