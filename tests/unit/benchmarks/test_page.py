"""The page of figures."""

from __future__ import annotations

from benchmarks.page import Section, Table, Value, render


def test_every_figure_is_on_the_page_and_nothing_is_markup() -> None:
    rows: list[dict[str, Value]] = [{"learner": "ours <b>", "AP": 0.75913}, {"learner": "peer", "AP": None}]
    page = render("Models", [Section("Fraud", [("Seeds", "0, 1")], [Table("Quality", rows)])])
    for said in ("ours &lt;b&gt;", "0.7591", "<td>-</td>", "<dt>Seeds</dt><dd>0, 1</dd>", "<h3>Quality</h3>"):
        assert said in page


def test_a_table_without_rows_is_a_title() -> None:
    assert "<h3>Slices</h3>" in render("Models", [Section("Fraud", [], [Table("Slices", [])])])
