"""Payments: makes the payment provider agree with what is wanted for each order."""
