"""The two things that can go wrong with what a user hands over."""


class InputError(ValueError):
    """A document, catalog or option is unusable; the message names the file, the place in it and the remedy."""


class NotMeasurable(Exception):  # noqa: N818  (a verdict, not a fault)
    """The dataset cannot answer the clause; the message is the reason given in the report."""
