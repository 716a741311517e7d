import json

from django.db import OperationalError
from django.test import RequestFactory
from rest_framework.exceptions import ValidationError

from monolith import problems


def answer_to(error, path="/api/v1/orders"):
    return problems.problem_response(error, {"request": RequestFactory().post(path)})


class TestProblems:
    def test_name_nested_fields_with_dots(self):
        error = ValidationError({"lines": [{}, {"quantity": ["Too few.", "Odd."]}], "non_field_errors": ["No."]})
        assert answer_to(error).data["errors"] == [
            {"field": "lines.1.quantity", "detail": "Too few."},
            {"field": "lines.1.quantity", "detail": "Odd."},
            {"field": "body", "detail": "No."},
        ]

    def test_say_the_only_thing_that_is_wrong_in_the_detail(self):
        answer = answer_to(ValidationError({"currency": "Send EUR."}))
        assert answer.data["detail"] == "currency: Send EUR."

    def test_ask_to_come_back_when_a_database_is_away(self):
        answer = answer_to(OperationalError("connection refused"))
        assert (answer.status_code, answer["Retry-After"]) == (503, "1")
        assert "Idempotency-Key" in answer.data["detail"]

    def test_leave_our_own_errors_to_the_server_error_page(self):
        assert answer_to(ZeroDivisionError()) is None

    def test_are_documents_for_programs_and_pages_for_people(self):
        api, admin = RequestFactory().get("/api/v1/orders"), RequestFactory().get("/admin/nothing")
        for page in (problems.bad_request, problems.permission_denied, problems.not_found):
            document = page(api, Exception("no"))
            assert document["Content-Type"] == problems.CONTENT_TYPE
            assert json.loads(document.content)["status"] == document.status_code
            assert page(admin, Exception("no"))["Content-Type"].startswith("text/html")
        assert problems.server_error(api).status_code == 500
        assert problems.server_error(admin)["Content-Type"].startswith("text/html")
