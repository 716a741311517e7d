"""Payments' addresses, below the prefix that the roof mounts them at."""

from django.urls import path

from modules.payments.views import PaymentList

urlpatterns = [path("payments", PaymentList.as_view(), name="payments")]
