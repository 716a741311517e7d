"""What only SQL can say: commit order of the outbox, and the relay's tables.

Positions, routes and signs of life are unmanaged on purpose: a test that flushes every model's
table must leave them alone.
"""

from django.db import migrations

COMMIT_ORDER = """
ALTER TABLE published ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY;
CREATE UNIQUE INDEX published_seq ON published (seq);
"""

# One row per source database. lsn is the end of the last source commit that this inbox has; it is
# advanced in the transaction that appends the commit's deliveries, and only from the value the
# relay expects.
POSITIONS = """
CREATE TABLE seams_position (
    source      text PRIMARY KEY,
    epoch       integer NOT NULL DEFAULT 1,
    lsn         pg_lsn,
    commit_at   timestamptz,
    appended_at timestamptz
);
"""

# Which events this database publishes, and who wants them where. Written by provision, read by the
# relay, so that an old relay meets a new event correctly.
ROUTES = """
CREATE TABLE seams_event_type (
    type     text PRIMARY KEY,
    external boolean NOT NULL DEFAULT false
);
CREATE TABLE seams_subscription (
    handler     text NOT NULL,
    type        text NOT NULL REFERENCES seams_event_type (type),
    target      text NOT NULL,
    module      text NOT NULL,
    fields      text[] NOT NULL,
    compensates boolean NOT NULL DEFAULT false,
    PRIMARY KEY (handler, type)
);
"""

SIGNS_OF_LIFE = """
CREATE TABLE seams_process (
    name    text PRIMARY KEY,
    seen_at timestamptz NOT NULL
);
"""

# Small tables with a high turnover: without eager vacuuming claims slow down tenfold.
VACUUM = """
ALTER TABLE seams_lane SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.0,
    autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE seams_delivery SET (autovacuum_vacuum_scale_factor = 0.0,
    autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("seams", "0001_initial"),
        ("django_outbox_pattern", "0006_published_published_status_27c9ec_btree"),
    ]
    operations = [
        migrations.RunSQL(COMMIT_ORDER, "ALTER TABLE published DROP COLUMN seq"),
        migrations.RunSQL(POSITIONS, "DROP TABLE seams_position"),
        migrations.RunSQL(ROUTES, "DROP TABLE seams_subscription; DROP TABLE seams_event_type"),
        migrations.RunSQL(SIGNS_OF_LIFE, "DROP TABLE seams_process"),
        migrations.RunSQL(VACUUM, migrations.RunSQL.noop),
    ]
