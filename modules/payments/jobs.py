"""What time does in payments."""

from modules.payments.local.driver import drive_payments

__all__ = ["drive_payments"]
