"""The composition root: the one place that names the concrete parts and puts them together."""
