"""The direct route: a browser talks to the Realtime server itself, with a short-lived token."""
