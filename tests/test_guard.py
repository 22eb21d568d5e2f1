"""The guard before the page's web server."""
