"""The base classes of exceptions whose message is a sentence for the user."""


class UserError(Exception):
    """The message says what is wrong, where, and what to do about it; it can be shown as it is."""


class InputError(UserError, ValueError):
    """An image, a file or a setting that a user gave cannot be used."""
