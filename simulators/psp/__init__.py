"""A payment provider that remembers: idempotency keys, voids, refunds, and a ledger that survives kill -9.

`python -m simulators.psp --help` starts it; README.md lists its endpoints and test tokens.
"""
