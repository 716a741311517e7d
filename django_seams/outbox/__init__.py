"""The transactional outbox: events written in the transaction of the change that they tell of."""

from django_seams.outbox._publish import (
    EventRefusedError,
    PublishOutsideTransactionError,
    lock_of,
    publish,
)

__all__ = ["EventRefusedError", "PublishOutsideTransactionError", "lock_of", "publish"]
