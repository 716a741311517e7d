"""The route `local`: the row that was written is the request, the driver claims it."""

from django_seams.modules import on_commit
from modules.payments.local.driver import drive_payments
from modules.payments.models import Payment


class LocalGateway:
    """Does nothing more than to wake the driver, if it runs in this process."""

    def want(self, *, payment: Payment) -> None:
        """Wake the driver once the wish is committed; without that it looks within a second."""
        on_commit("payments", drive_payments.wake)
