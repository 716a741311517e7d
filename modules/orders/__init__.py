"""Orders: takes orders and sees each one through to confirmed or cancelled. Others use ``api.py`` only."""
