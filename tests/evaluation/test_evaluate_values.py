"""Free values, such as height: read from the image by regression, counted in their own spread."""

from __future__ import annotations

import numpy as np
import pytest
from made_mixtures import FREE, changed, real_tiles, scene, swap_tiles, twin

from specdm.evaluation import evaluate


@pytest.fixture(scope="module")
def free():
    return real_tiles(FREE)


def test_free_values_are_read_by_regression_in_their_own_spread(free):
    result = evaluate(twin(free), real=free)
    found = result.metrics
    assert found["amount.rmse_ratio"] == pytest.approx(1.0, abs=0.15)
    assert 0 < found["amount.regression_rmse_synthetic"] < 0.3
    assert not any("sum" in key or "least" in key or "unmixing" in key for key in found)
    height, chlorophyll = result.quantities
    assert (height.unit, chlorophyll.unit) == ("m", "ug/cm2")
    assert 40 < chlorophyll.real_mean < 60
    assert height.rmse_synthetic < 0.3 * height.real_std
    assert height.histogram_edges[-1] > 20


def test_free_values_of_other_tiles_raise_the_error(free):
    assert evaluate(twin(free, swap_tiles), real=free).metrics["amount.rmse_ratio"] > 2


def test_units_do_not_weigh(free):
    def in_mm(tiles):
        return changed(tiles, tiles.images(), tiles.amounts() * np.array([1000.0, 1.0])[:, None, None])

    plain = evaluate(twin(free, swap_tiles), real=free).metrics
    found = evaluate(in_mm(twin(free, swap_tiles)), real=in_mm(free)).metrics
    for key in ("amount.rmse_ratio", "amount.wasserstein_worst", "amount.mean_shift_worst"):
        assert found[key] == pytest.approx(plain[key], rel=1e-3, abs=1e-6)


def test_a_shift_is_counted_in_standard_deviations(free):
    def taller(images, amounts):
        amounts[:, 0] += 30 * scene()[1][0, :, :64].std()
        return images, amounts

    result = evaluate(twin(free, taller), real=free)
    assert result.quantities[0].wasserstein == pytest.approx(1.0, abs=0.15)
    assert result.metrics["amount.mean_shift_worst"] == pytest.approx(1.0, abs=0.15)
    assert result.quantities[1].wasserstein < 0.2


def test_unknown_values_change_nothing(free):
    def holes(images, amounts):
        amounts[:, :, 3:6, 3:6] = np.nan
        images[:, :, :, 9:11, 2:4] = np.nan
        return images, amounts

    plain, found = (evaluate(twin(free, spoil), real=free).metrics for spoil in (None, holes))
    for key in ("amount.regression_rmse_synthetic", "amount.std_ratio_worst", "amount.correlation_ratio_lag1"):
        assert found[key] == pytest.approx(plain[key], rel=0.1)


def test_a_quantity_that_nobody_knows_is_left_out(free):
    def unknown(tiles):
        amounts = tiles.amounts().copy()
        amounts[:, 1] = np.nan
        return changed(tiles, tiles.images(), amounts)

    result = evaluate(unknown(twin(free)), real=unknown(free))
    assert result.quantities[1].real_mean is None
    assert result.quantities[1].rmse_synthetic is None
    assert result.metrics["amount.rmse_ratio"] == pytest.approx(1.0, abs=0.2)
