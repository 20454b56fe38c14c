"""docs/reference/rest.md names every request that the server understands, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from karvan.web.app import openapi

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "rest.md"
BESIDE_THE_API = {("GET", "/"), ("GET", "/login"), ("GET", "/static/{name}")}


def test_every_request_has_a_heading():
    described = {(method.upper(), path) for path, methods in openapi()["paths"].items() for method in methods}
    headings = re.findall(r"^### ([A-Z]+) (/\S*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(headings) == len(set(headings))
    assert set(headings) == described | BESIDE_THE_API


def test_every_query_is_named_under_its_heading():
    page = PAGE.read_text(encoding="utf-8")
    for path, methods in openapi()["paths"].items():
        for method, said in methods.items():
            section = page.partition(f"### {method.upper()} {path}\n")[2].partition("\n### ")[0]
            wanted = [item["name"] for item in said.get("parameters", []) if item["in"] == "query"]
            assert [name for name in wanted if f"`{name}`" not in section] == [], (method, path)


def test_the_served_description_is_this_one(opened):
    assert opened.client.get("/api/openapi.json").json()["paths"].keys() == openapi()["paths"].keys()
