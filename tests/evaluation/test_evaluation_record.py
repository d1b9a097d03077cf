"""The record survives its file, which is flat for whoever reads only the numbers."""

from __future__ import annotations

import json

import pytest

from specdm.errors import FileFormatError, RunError, TileError
from specdm.evaluation import Evaluation, evaluate


def test_json_is_flat_and_comes_back_whole(real, twin, tmp_path):
    result = evaluate(twin(), real=real)
    result.add("sampling.seconds_for_64", 7.25)
    path = result.to_json(tmp_path / "evaluation.json")
    found = json.loads(path.read_text())
    assert found["sampling.seconds_for_64"] == 7.25
    assert found["codec.lda_ratio"] is None
    assert {key for key, value in found.items() if isinstance(value, (dict, list))} == {"_details"}
    again = Evaluation.from_json(path)
    assert again == result
    assert again.classes[0].real_mean == result.classes[0].real_mean
    assert [p.name for p in tmp_path.iterdir()] == ["evaluation.json"]


def test_a_number_that_is_none_is_noted_not_written_as_nan(tmp_path):
    result = Evaluation()
    result.add("a", float("nan"), why_not="there is nothing")
    result.add("b", float("inf"))
    assert result.metrics == {"a": None, "b": None}
    assert "a was not computed: there is nothing" in result.notes
    assert "NaN" not in result.to_json(tmp_path / "e.json").read_text()


@pytest.mark.parametrize(
    "text", ["{", "[1, 2]", '{"a": "text"}', '{"_details": {"classes": [{"x": 1}]}}', '{"_details": 3}']
)
def test_other_files_are_refused(tmp_path, text):
    path = tmp_path / "evaluation.json"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=r"evaluation\.json"):
        Evaluation.from_json(path)


def test_a_missing_file_and_an_unwritable_place_are_one_line(tmp_path):
    with pytest.raises(RunError, match="specdm evaluate"):
        Evaluation.from_json(tmp_path / "none.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        Evaluation().to_json(tmp_path / "file" / "evaluation.json")


def test_a_record_from_a_file_has_no_tiles_to_show(tmp_path):
    Evaluation().to_json(tmp_path / "e.json")
    with pytest.raises(TileError, match="write_report"):
        Evaluation.from_json(tmp_path / "e.json").to_html(tmp_path / "r.html")
