"""django-outbox-pattern's admin pages look only into ``default``, where its tables are not: take them away."""

from django.contrib import admin
from django_outbox_pattern import admin as _registers_them  # noqa: F401
from django_outbox_pattern.models import Published, Received

for _model in (Published, Received):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
