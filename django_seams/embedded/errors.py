"""What can go wrong with embedded servers."""

from ..errors import SeamsError


class EmbeddedError(SeamsError):
    """An embedded server could not be started or stopped; see launcher.log in its folder."""
