"""Loss tables of any shape become curves, or none."""

from __future__ import annotations

from specdm.report.losses import read_losses


def test_every_loss_column_is_found_and_validation_joins_its_training(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text(
        "step,epoch,image_codec_loss,train_denoiser_loss,val_denoiser_loss,lr,Loss\n"
        "1,0,3,,,0.1,\n2,0,2,,,0.1,9\n1,1,,5,6,0.1,\n2,1,,4,,0.1,\n,1,,4,,0.1,\n"
    )
    curves = {curve.title: curve.series for curve in read_losses(path)}
    assert set(curves) == {"image codec loss", "denoiser loss", "loss"}
    steps, values = curves["denoiser loss"]["training"]
    assert (steps.tolist(), values.tolist()) == ([1, 2], [5, 4])
    assert curves["denoiser loss"]["validation"][1].tolist() == [6]
    assert curves["image codec loss"]["training"][1].tolist() == [3, 2]


def test_what_is_no_loss_table_has_no_curves(tmp_path):
    path = tmp_path / "metrics.csv"
    assert read_losses(path) == []
    for content in (b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b"step,x_loss\n,\nabc,nan\n"):
        path.write_bytes(content)
        assert read_losses(path) == []
