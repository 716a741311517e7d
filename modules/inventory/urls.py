"""Inventory's part of the HTTP API; the roof says below which path."""

from django.urls import path

from modules.inventory import views

urlpatterns = [
    path("products", views.ProductList.as_view(), name="inventory-products"),
    path("stock/<str:sku>", views.StockDetail.as_view(), name="inventory-stock"),
]
