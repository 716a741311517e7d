"""The one error root of the toolkit."""


class SeamsError(Exception):
    """Something in django_seams was refused; the message says what to do next.

    Raised with a message, or without one when the subclass's docstring is the message.
    """

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or type(self).__name__).strip().splitlines()[0])
