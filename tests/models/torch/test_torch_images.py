"""Images: which a net takes as they are, what prepares them, and what is said of those that it cannot take."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")

from torch import nn  # noqa: E402

import nets  # noqa: E402  # needs torch
from incumbent import wrap  # noqa: E402
from incumbent.core import Recipe  # noqa: E402
from incumbent.data import LazyRows, normalize_imagenet, scale_0_1  # noqa: E402
from incumbent.errors import DataError  # noqa: E402
from incumbent.models import load, save  # noqa: E402
from incumbent.models.torch import explain_images, first_convolution  # noqa: E402

FIRST = nets.images(whole=True)  # bytes, channels first
LAST = FIRST.replace(x=np.ascontiguousarray(np.moveaxis(FIRST.x, 1, -1)))


def small(channels=1, *, side=8):
    torch.manual_seed(0)
    body = [nn.Conv2d(channels, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * side * side, 3)]
    return nn.Sequential(*body)


class Turning(nn.Module):
    """It turns the axes by itself, as some nets do."""

    def __init__(self):
        super().__init__()
        self.net = small()

    def forward(self, x):
        return self.net(x.permute(0, 3, 1, 2))


def test_bytes_with_channels_first_go_on_to_arrive_as_numbers_from_0_to_1():
    net = small()
    said = wrap(net).logits(FIRST.x)
    np.testing.assert_allclose(said, net(torch.from_numpy(FIRST.x).float() / 255).detach().numpy(), atol=1e-5)
    np.testing.assert_array_equal(wrap(net, prepare=scale_0_1).logits(FIRST.x), said)


def test_a_net_that_turns_the_axes_by_itself_goes_on_to_work():
    net = Turning()
    np.testing.assert_allclose(wrap(net).logits(LAST.x), wrap(net.net).logits(FIRST.x), atol=1e-6)


def test_images_with_channels_last_ask_which_way_they_are_prepared_and_that_works():
    said = (
        r"takes images \(n, 1, height, width\), and the rows are \(n, 8, 8, 1\), channels last\. .*--prepare "
        r"incumbent.data:scale_0_1 .*incumbent.data:scale_minus1_1 .*"
        r"incumbent.data:normalize_imagenet .*prepare=incumbent.data.scale_0_1"
    )
    for rows in (LAST.x, LAST.x / np.float32(255)):
        with pytest.raises(DataError, match=said):
            wrap(small()).predict(rows)
    np.testing.assert_array_equal(wrap(small(), prepare=scale_0_1).logits(LAST.x), wrap(small()).logits(FIRST.x))


@pytest.mark.parametrize(
    ("net", "rows", "said"),
    [
        (
            small(),
            FIRST.x[:, 0],
            r"the rows are \(n, 8, 8\), without an axis for channels\. .*data:scale_0_1",
        ),
        (
            small(3),
            FIRST.x,
            r"\(n, 3, height, width\), and the rows are \(n, 1, 8, 8\): it takes 3 channels\. .*channels=3",
        ),
        (small(), np.repeat(FIRST.x, 3, axis=1), r"the rows are \(n, 3, 8, 8\): it takes 1 channel\. .*channels=1"),
        (small(side=9), FIRST.x, r"another size than 8 x 8 .* \(mat1 and mat2 shapes .*--size HEIGHTxWIDTH"),
    ],
    ids=["no channels", "too few channels", "too many channels", "another size"],
)
def test_images_that_a_net_cannot_take_are_named_with_what_to_type(net, rows, said):
    with pytest.raises(DataError, match=said):
        wrap(net).predict(rows)


def test_a_failure_that_is_none_of_images_keeps_its_words():
    last = {"": torch.from_numpy(LAST.x)}
    assert explain_images(small(), last, "not enough memory: you tried to allocate 8 bytes") is None
    assert explain_images(small(), last, "something else") is None
    assert explain_images(nn.Linear(4, 2), last, "expected 3 channels") is None
    assert explain_images(small(), {"": torch.zeros(4, 5)}, "mat1 and mat2 shapes cannot be multiplied") is None


def test_the_first_convolution_counts_only_where_nothing_comes_before_it():
    assert first_convolution(small(3)).in_channels == 3
    assert first_convolution(nn.Sequential(nn.Dropout(), nn.Flatten(1, 2), small())).in_channels == 1
    assert first_convolution(nn.Sequential(nn.Linear(4, 64), nn.Unflatten(1, (1, 8, 8)), small())) is None
    assert first_convolution(nn.Linear(4, 2)) is None


@pytest.mark.parametrize(
    ("channels", "prepare", "known"),
    [
        (1, "incumbent.data:scale_0_1", 1),
        (3, "incumbent.data:normalize_imagenet", 3),
        (4, "incumbent.data:scale_0_1", None),
        (3, None, None),
        (3, "nets:doubled", None),
    ],
)
def test_the_channels_of_images_are_known_where_nothing_unknown_comes_before_the_net(channels, prepare, known):
    assert wrap(small(channels), prepare=prepare).image_channels == known


def test_a_ready_made_way_is_stored_by_its_public_name(tmp_path):
    model = wrap(nets.CNN(), prepare=scale_0_1).infer_outputs(LAST.y)
    assert model.prepare == "incumbent.data:scale_0_1"
    save(model, tmp_path)
    assert '"prepare": "incumbent.data:scale_0_1"' in (tmp_path / "net.json").read_text()
    np.testing.assert_array_equal(load(tmp_path).logits(LAST.x), model.logits(LAST.x))


def test_a_stored_old_name_of_a_ready_made_way_is_read_without_a_warning(tmp_path):
    model = wrap(nets.CNN(), prepare=scale_0_1).infer_outputs(LAST.y)
    save(model, tmp_path)
    about = tmp_path / "net.json"
    about.write_text(about.read_text().replace("incumbent.data:scale_0_1", "incumbent.data:unit"))
    loaded = load(tmp_path)
    assert loaded.prepare == "incumbent.data:scale_0_1"
    np.testing.assert_array_equal(loaded.logits(LAST.x), model.logits(LAST.x))


@pytest.mark.parametrize("lazy", [False, True])
def test_images_that_do_not_fit_in_memory_are_prepared_as_they_are_needed(lazy, monkeypatch):
    model = wrap(nets.CNN(), prepare=scale_0_1).infer_outputs(LAST.y)
    x = LazyRows.of(LAST.x) if lazy else LAST.x
    recipe = Recipe().replace(start="champion", lr=0.01, epochs=2)
    whole, said = model.fit(recipe.bind(train=LAST)), model.logits(LAST.x)
    # the bytes would fit, the numbers that come of them would not
    monkeypatch.setattr("incumbent.models.torch._input.EAGER", LAST.x.nbytes)
    rows = model.net.rows(x)
    assert rows.prepare is not None and len(rows) == len(LAST)
    np.testing.assert_array_equal(model.logits(x), said)
    np.testing.assert_array_equal(model.fit(recipe.bind(train=LAST.replace(x=x))).logits(x), whole.logits(LAST.x))
    monkeypatch.setattr("incumbent.models.torch._input.EAGER", 4 * LAST.x.nbytes)
    assert model.net.rows(x).prepare is None


def test_inputs_of_several_kinds_are_prepared_together_however_large_one_of_them_is(monkeypatch):
    model, rows = wrap(nets.TwoInputs(), prepare=scale_0_1), nets.pairs().x
    given = {"image": LAST.x, "table": rows["table"]}
    whole = model.logits(given)
    monkeypatch.setattr("incumbent.models.torch._input.EAGER", LAST.x.nbytes)
    assert model.net.rows(given).prepare is not None
    np.testing.assert_allclose(model.logits(given), whole, rtol=1e-6)


def joined(x):
    """It makes one tensor of two inputs."""
    return np.concatenate([x["left"], x["right"]], axis=1)


def test_what_turns_several_inputs_into_one_does_so_for_rows_beyond_memory_too(monkeypatch):
    model = wrap(nets.MLP(dropout=0.0), prepare=f"{__name__}:joined")
    x = nets.table().x
    given = {"left": x[:, :1], "right": x[:, 1:]}
    whole = model.logits(given)
    np.testing.assert_array_equal(whole, wrap(model.native).logits(x))
    monkeypatch.setattr("incumbent.models.torch._input.EAGER", 100)
    np.testing.assert_allclose(model.logits(given), whole, rtol=1e-6)


def test_grey_images_are_given_to_a_net_of_imagenet_in_three_channels():
    model = wrap(small(3), prepare=normalize_imagenet)
    colour = np.repeat(LAST.x, 3, axis=3)
    np.testing.assert_array_equal(model.logits(LAST.x), model.logits(colour))
