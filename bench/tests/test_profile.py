"""Adding up what the profiled process has written."""

import json
from pathlib import Path

from bench.profile import hook, summary
from bench.profile.top import _ROOT


class TestSummary:
    def test_adds_threads_up_and_divides_by_orders(self, tmp_path: Path) -> None:
        row = [f"{_ROOT}modules/orders/services.py", 7, "place_order", 10, 0.5, 2.0]
        (tmp_path / "1-0.json").write_text(json.dumps([row]))
        (tmp_path / "1-1.json").write_text(json.dumps([row, ["~", 0, "<built-in method len>", 4, 0.1, 0.1]]))
        found = summary(tmp_path, orders=10)
        assert found["ours"] == [
            {"function": "modules/orders/services.py:7 place_order", "calls": 2.0, "own_ms": 100.0, "total_ms": 400.0}
        ]
        assert found["packages"] == {"modules.orders": 100.0, "built in": 10.0}
        assert [each["function"] for each in found["all"]][-1] == "built-in method len"

    def test_of_a_process_that_has_left_nothing_is_empty(self, tmp_path: Path) -> None:
        assert summary(tmp_path, orders=1) == {}


class TestHook:
    def test_recognises_the_process_by_its_command_up_to_the_first_variable(self, tmp_path: Path) -> None:
        command = "exec deploy/only A B -- python -m gunicorn monolith.wsgi --bind 127.0.0.1:${PORT:-8000} --workers 2"
        environ = hook(command=command, into=tmp_path / "new")
        assert environ["SEAMS_BENCH_PROFILE"] == "python -m gunicorn monolith.wsgi --bind 127.0.0.1:"
