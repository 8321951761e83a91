"""The base of every exception whose message is a sentence for the reader."""


class UserError(Exception):
    """What went wrong, where, and what to do about it, in a message that may be shown as it is."""
