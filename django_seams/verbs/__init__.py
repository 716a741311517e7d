"""The verbs of ``manage.py seams``, one file each."""
