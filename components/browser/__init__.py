"""What runs in the browser, as it is sent: scripts and styles, without a build step.

`shared` is for the page and the voice button alike, `page` and `widget` are for one of them.
"""
