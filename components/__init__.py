"""Realtime Voice UI: a spoken conversation between a web page and a Realtime API."""
