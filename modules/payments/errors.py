"""What payments refuses. The message says what to do next."""


class PaymentsError(Exception):
    """Something in payments was refused."""


class OpenTransactionError(PaymentsError):
    """The provider was about to be called inside a database transaction; commit it first."""

    def __init__(self, *, aliases: list[str]) -> None:
        super().__init__(
            f"The provider was about to be called with a transaction open on {', '.join(aliases)}: a slow "
            "provider would hold its locks. Commit first, call, then write the outcome in a new transaction."
        )


class ProviderNotConfiguredError(PaymentsError):
    """PSP_URL is not set; set it to the payment provider's address, such as http://127.0.0.1:8200."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)
