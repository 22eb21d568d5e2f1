"""The page: what a person sees and touches of a call."""
