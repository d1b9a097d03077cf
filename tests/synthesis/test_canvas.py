"""Scenes larger than a tile: one state for all windows, drawn and decoded in parts as it would be at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from specdm.models.composition_prior import CompositionPrior
from specdm.models.denoiser import JointDenoiser
from specdm.models.drawing import Drawing
from specdm.models.image_codec import ImageCodec
from specdm.models.joint_model import JointModel
from specdm.models.known_latents import KnownLatents
from specdm.models.mask_codec import MaskCodec
from specdm.models.streams import streams_of
from specdm.synthesis.calibration import decode_calibrated
from specdm.synthesis.canvas.cells import CellFile
from specdm.synthesis.canvas.draws import BLOCK, CompositionLattice, white_noise
from specdm.synthesis.canvas.latents import CanvasDrawing, KnownCells
from specdm.synthesis.canvas.pixels import SceneFinish, finished_parts
from specdm.synthesis.canvas.windows import Area, WindowGrid, blocks

BANDS, CLASSES, SIZE = 5, 3, 8
HEIGHT, WIDTH = BLOCK + 9, BLOCK + 4
CANVAS = Area(0, 0, HEIGHT, WIDTH)
CHANNELS = 14


class Pointwise(JointDenoiser):
    """Leads each cell to a latent that follows from the noise of that cell alone, so that windows cannot disagree."""

    base: torch.Tensor
    mixing: torch.Tensor

    def forward(self, noisy, levels, composition=None):  # type: ignore[override]
        self.asked.append(noisy.shape)
        t = levels.repeat_interleave(torch.tensor(self.stream_channels), dim=1).clamp(min=1e-3)
        wanted = self.base[:, None, None] + torch.tanh(torch.einsum("cd,ndyx->ncyx", self.mixing, noisy))
        return (noisy - wanted) / t


@pytest.fixture(params=[0, 3])
def model(request) -> JointModel:
    """Codecs that look at neighbours, of masks with gaps, and a denoiser that does not, but for its noise."""
    torch.manual_seed(0)
    codecs = {
        "image_codec": ImageCodec(BANDS, components=4, latent_channels=6, width=8, blocks=1),
        "mask_codec": MaskCodec(CLASSES, latent_channels=4, width=8, blocks=1),
        "labelled_codec": MaskCodec(2, latent_channels=4, width=8, blocks=1),
    }
    with torch.no_grad():
        for codec in codecs.values():
            # new residual networks give nothing, and would hide a margin that is too small
            for parameter in codec.parameters():
                parameter += 0.2 * torch.randn(parameter.shape)
        codecs["image_codec"].basis.synthesis.copy_(torch.randn(BANDS, 4))
    denoiser = Pointwise((6, 4, 4), CLASSES, widths=(16, 16), layers=1, head_channels=16, noise_reach=request.param)
    denoiser.asked = []
    denoiser.base, denoiser.mixing = torch.randn(CHANNELS), torch.randn(CHANNELS, CHANNELS)
    if request.param:
        smooth = torch.randn(40, CHANNELS, SIZE, SIZE).cumsum(dim=-1).cumsum(dim=-2)
        denoiser.fit_noise(smooth, torch.ones(40, 3, SIZE, SIZE), streams=[0])
    streams = streams_of(dates=[0], layers=["class"], sparse=["class"])
    return JointModel(streams=streams, codecs=codecs, denoiser=denoiser).eval()


def drawing_of(model: JointModel, **options: float) -> Drawing:
    return Drawing(model, steps=3, image_shift=2.0, mask_shift=1.0, **options)


def white(area: Area) -> torch.Tensor:
    return white_noise(3, area, CHANNELS)


def white_of(model: JointModel) -> torch.Tensor:
    """What all of the canvas is drawn from."""
    return white(Area(0, 0, *model.denoiser.white_shape((HEIGHT, WIDTH))[1:]))[None]


def drawn(model: JointModel, folder: Path, *, known=None, batch_size: int = 5, overlap: float = 0.5) -> torch.Tensor:
    folder.mkdir()
    windows = WindowGrid(HEIGHT, WIDTH, SIZE, overlap)
    latents = CanvasDrawing(drawing_of(model), windows, folder, batch_size).latents(white, known=known)
    assert latents is not None
    return latents.read(CANVAS)[None]


@pytest.mark.parametrize("overlap", [0.0, 0.5, 0.7])
def test_windows_that_agree_give_what_drawing_all_at_once_gives(model, tmp_path, overlap) -> None:
    """Nothing shows where a window begins, nor a block in which masks were decoded and encoded again."""
    whole = drawing_of(model).latents(white_of(model))
    masks = model.decode(whole).positions
    assert len(masks.unique()) == CLASSES + 1, "the case says something only if there are classes and gaps"
    model.denoiser.asked.clear()
    found = drawn(model, tmp_path / "canvas", overlap=overlap)
    assert {tuple(shape[-2:]) for shape in model.denoiser.asked} == {(SIZE, SIZE)}
    torch.testing.assert_close(found, whole, rtol=1e-4, atol=1e-4)


def test_a_linear_velocity_leads_to_what_is_wanted_everywhere(model, tmp_path) -> None:
    model.denoiser.mixing.zero_()
    labelled = model.encoded(2, torch.ones(1, 2 * SIZE, 2 * SIZE, dtype=torch.int64))[0, :, SIZE // 2, SIZE // 2]
    model.denoiser.base[10:] = labelled.detach()
    found = drawn(model, tmp_path / "canvas")
    wanted = model.denoiser.base[:6, None, None].expand(6, HEIGHT, WIDTH)
    # the first step starts at a level just below 1, and takes a thousandth of the noise along
    torch.testing.assert_close(found[0, :6], wanted, rtol=0, atol=2e-3 * 5)


def test_known_cells_stay_and_windows_are_asked_only_where_something_is_free(model, tmp_path) -> None:
    given = torch.randn(CHANNELS, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(5))
    cells = torch.zeros(3, HEIGHT, WIDTH, dtype=torch.bool)
    cells[:, :, : WIDTH // 2] = True

    def known(area: Area) -> KnownCells:
        part = area.slices
        return KnownCells(given[:, *part], cells[:, *part], torch.zeros(3, area.height, area.width))

    found = drawn(model, tmp_path / "known", known=known)
    assert torch.equal(found[0, :, :, : WIDTH // 2], given[:, :, : WIDTH // 2])
    asked = sum(shape[0] for shape in model.denoiser.asked)
    model.denoiser.asked.clear()
    free = drawn(model, tmp_path / "free")
    assert asked < 0.75 * sum(shape[0] for shape in model.denoiser.asked)
    whole = drawing_of(model).latents(white_of(model), known=KnownLatents(given[None], cells[None]))
    torch.testing.assert_close(found, whole, rtol=1e-4, atol=1e-4)
    assert not torch.equal(free[0, :, :, : WIDTH // 2], given[:, :, : WIDTH // 2])


def test_nothing_is_drawn_where_all_is_known(model, tmp_path) -> None:
    def known(area: Area) -> KnownCells:
        shape = (3, area.height, area.width)
        return KnownCells(torch.zeros(CHANNELS, *shape[1:]), torch.ones(shape, dtype=torch.bool), torch.zeros(shape))

    canvas = CanvasDrawing(drawing_of(model), WindowGrid(HEIGHT, WIDTH, SIZE, 0.5), tmp_path, 4)
    assert canvas.latents(white, known=known) is None


def test_decoding_in_parts_equals_decoding_at_once(model, tmp_path) -> None:
    latents = torch.randn(CHANNELS, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1))
    file = CellFile(tmp_path / "latents", CHANNELS, CANVAS)
    file.write(CANVAS, latents)
    whole = decode_calibrated(model, None, latents[None])
    seen = torch.zeros(2 * HEIGHT, 2 * WIDTH)
    parts = finished_parts(model, file, canvas=CANVAS, finish=SceneFinish(None, None, None, None))
    for area, pixels in parts:
        seen[area.slices] += 1
        assert pixels.images.shape[-2:] == (area.height, area.width)
        torch.testing.assert_close(pixels.images, whole.images[..., *area.slices], rtol=1e-4, atol=1e-4)
        same = pixels.positions == whole.positions[..., *area.slices]
        assert same.all()
    assert (seen == 1).all()


def test_sensor_noise_belongs_to_the_place(model, tmp_path) -> None:
    """The same pixels get the same noise, however far the scene goes on to the right and below."""
    model.codecs["image_codec"].basis.noise_factor.copy_(torch.eye(BANDS))
    latents = torch.zeros(CHANNELS, HEIGHT, WIDTH)

    def added(canvas: Area, name: str) -> dict[tuple[int, int], torch.Tensor]:
        file = CellFile(tmp_path / name, CHANNELS, canvas)
        file.write(canvas, latents[:, *canvas.slices])
        with_, without = (
            finished_parts(model, file, canvas=canvas, finish=SceneFinish(None, seed, None, None)) for seed in (7, None)
        )
        return {(a.y, a.x): one.images - two.images for (a, one), (_, two) in zip(with_, without, strict=True)}

    large, small = added(CANVAS, "large"), added(Area(0, 0, HEIGHT, BLOCK), "small")
    assert len(large) == 4 and len(small) == 2
    for place, noise in small.items():
        torch.testing.assert_close(large[place], noise, rtol=0, atol=1e-4)
        assert abs(float(noise.std()) - 1) < 0.05
    corners = [noise[..., :8, :8] for noise in large.values()]
    assert not any(torch.allclose(corners[i], corners[j], atol=0.1) for i in range(4) for j in range(i))


def test_noise_belongs_to_the_place() -> None:
    whole = white_noise(0, Area(0, 0, 3 * BLOCK, 3 * BLOCK), 4)
    area = Area(BLOCK - 5, 2 * BLOCK - 1, 17, 20)
    assert torch.equal(white_noise(0, area, 4), whole[:, *area.slices])
    assert abs(float(whole.std()) - 1) < 0.02 and not torch.equal(white_noise(1, area, 4), whole[:, *area.slices])
    cells = whole.flatten(1)
    assert len(cells[0].unique()) > 0.99 * cells.shape[1], "no block repeats another"


def test_a_window_has_the_composition_of_the_ground_it_covers() -> None:
    prior = CompositionPrior(rows=50, classes=3)
    prior.fractions.copy_(torch.rand(50, 3))
    lattice = CompositionLattice(prior, 0, 8)
    own = [lattice.of(Area(8, x, 8, 8)) for x in (0, 8)]
    assert not torch.equal(*own)
    torch.testing.assert_close(lattice.of(Area(8, 2, 8, 8)), 0.75 * own[0] + 0.25 * own[1])
    assert torch.equal(lattice.of(Area(8, 8, 8, 8)), own[1]), "it is the same whenever it is asked"
    ordered = torch.tensor([0.2, 0.3, 0.5])
    assert torch.equal(CompositionLattice(prior, 0, 8, ordered).of(Area(3, 3, 8, 8)), ordered)


@pytest.mark.parametrize(("height", "width", "overlap"), [(8, 8, 0.5), (9, 20, 0.5), (21, 8, 0.0), (30, 17, 0.8)])
def test_windows_cover_everything_and_their_weights_are_what_is_divided_by(height, width, overlap) -> None:
    grid = WindowGrid(height, width, 8, overlap)
    sums = torch.zeros(height, width)
    for area in grid.areas:
        assert area.y + 8 <= height and area.x + 8 <= width
        sums[area.slices] += torch.from_numpy(grid.weights)
    assert (sums > 0).all()
    torch.testing.assert_close(sums, torch.from_numpy(grid.total(Area(0, 0, height, width))))
    assert len(set(grid.areas)) == len(grid.areas)


def test_blocks_tile_an_area() -> None:
    area = Area(5, 3, 20, 30)
    seen = torch.zeros(40, 40)
    for block in blocks(area, 8):
        assert block.y // 8 == (block.y + block.height - 1) // 8
        seen[block.slices] += 1
    assert (seen[area.slices] == 1).all() and seen.sum() == 600
