"""The one error root of the toolkit, and what may be shown of any error."""

import traceback


class SeamsError(Exception):
    """Something in django_seams was refused; the message says what to do next.

    Raised with a message, or without one when the subclass's docstring is the message.
    """

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or type(self).__name__).strip().splitlines()[0])


def shown(error: Exception) -> str:
    """An exception's type and message, without PostgreSQL's DETAIL: that quotes the row, secrets included."""
    return f"{type(error).__name__}: {str(error).partition('DETAIL:')[0].strip()}"


def frames(error: Exception) -> str:
    """Where an exception came from, without its message."""
    return "".join(traceback.format_tb(error.__traceback__))
