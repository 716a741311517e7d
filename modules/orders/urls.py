from django.urls import path

from modules.orders import views

urlpatterns = [
    path("orders", views.OrdersView.as_view(), name="orders"),
    path("orders/<str:order_id>", views.OrderView.as_view(), name="order"),
    path("orders/<str:order_id>/timeline", views.TimelineView.as_view(), name="order-timeline"),
    path("orders/<str:order_id>/cancel", views.CancelView.as_view(), name="order-cancel"),
]
