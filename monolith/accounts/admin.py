"""Users and tokens in the admin. A new token is shown once, as a message."""

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from monolith.accounts.models import Token, User
from monolith.accounts.tokens import new_secret, sha256

admin.site.register(User, UserAdmin)


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):
    list_display = ("label", "user", "created_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    autocomplete_fields = ("user",)
    fields = ("user", "label")
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Token, form: ModelForm, change: bool) -> None:
        secret = new_secret()
        obj.sha256 = sha256(secret)
        super().save_model(request, obj, form, change)
        messages.warning(request, f"The token, shown only now: {secret}")

    @admin.action(description="Revoke the selected tokens", permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Token]) -> None:
        count = queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
        messages.success(request, f"{count} revoked.")
