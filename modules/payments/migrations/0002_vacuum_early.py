"""The driver claims from this table: its dead rows must go before they slow the claim down."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE payments_payment"
            " SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)",
            "ALTER TABLE payments_payment RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold)",
        )
    ]
