"""The toolkit for modular monoliths: boundaries, events, outbox, relay and inbox.

A *seam* is a place where a system can be taken apart without editing what lies on either side.
Importing this package imports no Django, so that events and types stay free of it.
"""

__version__ = "0.1.0"
