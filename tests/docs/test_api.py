"""The API's page lists every address, and no other."""

import re

from django.urls import URLPattern, URLResolver, get_resolver

from tests.docs.pages import named, rows

PAGE = "docs/reference/api.md"
_FOR_PEOPLE = ("admin/", "^api/")


def addresses(patterns, prefix="") -> set[str]:
    found = set()
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if route.startswith(_FOR_PEOPLE):
            continue
        if isinstance(pattern, URLResolver):
            found |= addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            found.add("/" + re.sub(r"<str:(?:order_)?(\w+)>", r"{\1}", route))
    return found


class TestAddresses:
    def test_on_the_page_are_those_of_the_system(self):
        requests = [named(cells[0])[0].split()[1] for cells in rows(PAGE, "request")]
        assert {request.partition("?")[0] for request in requests} == addresses(get_resolver().url_patterns)
