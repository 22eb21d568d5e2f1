"""A recording of a call: both voices side by side, with what was said, and when."""
