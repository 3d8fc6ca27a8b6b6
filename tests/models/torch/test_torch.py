"""The adapter of PyTorch modules: what goes in, what comes out, and how it is kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")

from torch import nn  # noqa: E402

import nets  # noqa: E402  # needs torch
from incumbent.core import Recipe  # noqa: E402
from incumbent.errors import DataError, ModelError, UsageError  # noqa: E402
from incumbent.models import load, save, wrap  # noqa: E402


def linear(outputs: int, inputs: int = 2) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(inputs, outputs))


ROWS = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)


@pytest.mark.parametrize(
    ("outputs", "labels", "kind", "classes"),
    [
        (3, [0, 1, 2, 1], "softmax", [0, 1, 2]),
        (3, [0, 1, 1, 0], "softmax", [0, 1, 2]),
        (3, [2, 3, 4, 4], "softmax", [2, 3, 4]),
        (3, ["b", "a", "c", "a"], "softmax", ["a", "b", "c"]),
        (2, [False, True, True], "softmax", [False, True]),
        (8, list(range(10)), "softmax", list(range(8))),
        (1, ["no", "yes", "no"], "binary", ["no", "yes"]),
        (1, [0, 1, 0], "binary", [0, 1]),
        (1, [0.5, 1.5, 1.0], "values", None),
        (1, [0, 1, 2, 3], "values", None),
        (3, [[0, 1, 1], [1, 0, 0]], "multilabel", [0, 1, 2]),
        (2, [[0.5, 1.5], [1.0, 2.0]], "values", None),
    ],
)
def test_what_the_outputs_mean_is_told_from_the_labels(outputs, labels, kind, classes):
    met = wrap(linear(outputs)).infer_outputs(np.asarray(labels))
    assert met.spec.kind == kind
    assert (met.classes is None) if classes is None else (met.classes.tolist() == classes)


@pytest.mark.parametrize(
    ("outputs", "labels", "sentence"),
    [
        (3, [0.5, 1.5], "numbers with fractions such as 0.5"),
        (3, ["a", "b"], r"3 outputs and the labels show 2 classes \(a, b...\); give the class of each output"),
        (3, [[0, 1], [1, 0]], "3 outputs, and the labels have 2 columns"),
    ],
)
def test_outputs_that_do_not_fit_the_labels_are_named(outputs, labels, sentence):
    with pytest.raises(ModelError, match=sentence):
        wrap(linear(outputs)).infer_outputs(np.asarray(labels))


def test_classes_may_be_named_in_any_order_of_the_outputs():
    net = linear(3)
    said = wrap(net, classes=["dog", "ant", "cat"]).predict(ROWS)
    raw = net(torch.from_numpy(ROWS)).detach().numpy()
    assert said.classes.tolist() == ["ant", "cat", "dog"]
    assert said.label.tolist() == np.array(["dog", "ant", "cat"])[raw.argmax(1)].tolist()
    assert np.allclose(said.proba, torch.from_numpy(raw).softmax(1).numpy()[:, [1, 2, 0]])


def test_probabilities_of_one_output_are_those_of_both_classes():
    net = linear(1)
    said = wrap(net).infer_outputs(["no", "yes"]).predict(ROWS)
    assert np.allclose(said.proba[:, 1], net(torch.from_numpy(ROWS)).sigmoid().detach().numpy()[:, 0])
    assert np.allclose(said.proba.sum(1), 1)


@pytest.mark.parametrize("end", [nn.Softmax(dim=1), nn.Sigmoid()], ids=["softmax", "sigmoid"])
def test_a_net_that_ends_in_probabilities_is_read_as_such_and_learns(end):
    outputs = 3 if isinstance(end, nn.Softmax) else 1
    rows = nets.table(3 if outputs == 3 else 2)
    net = nn.Sequential(linear(outputs, 4), end)
    model = wrap(net).infer_outputs(rows.y)
    raw = net(torch.from_numpy(rows.x)).detach().numpy()
    assert np.allclose(model.predict(rows.x).proba[:, -1], raw[:, -1], atol=1e-6)
    made = model.fit(Recipe().replace(start="champion", lr=0.05, epochs=20).bind(train=rows))
    assert np.mean(made.predict(rows.x).label == rows.y) > 0.9


def test_labels_that_can_be_on_at_once_are_learned_each():
    rows = nets.table()
    y = (rows.x[:, :3] > 0).astype(int)
    model = wrap(linear(3, 4)).infer_outputs(y)
    made = model.fit(Recipe().replace(start="champion", lr=0.1, epochs=20).bind(train=rows.replace(y=y)))
    said = made.predict(rows.x)
    assert said.label.shape == said.proba.shape == y.shape
    assert np.mean(said.label == y) > 0.95


@pytest.mark.parametrize("kind", nets.CASES)
def test_predicting_gives_what_the_net_gives_and_leaves_its_mode_alone(kind):
    net, rows = nets.made(kind)
    net.train()
    model = wrap(net).infer_outputs(rows.y)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    model.predict(rows.x)
    assert all(part.training for part in net.modules())
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    net.eval()
    given = {k: torch.from_numpy(np.asarray(v)) for k, v in rows.x.items()} if isinstance(rows.x, dict) else None
    raw = net(**given) if given else net(torch.from_numpy(rows.x))
    assert np.allclose(model.logits(rows.x)[:, 0], raw.detach().numpy().reshape(len(rows), -1)[:, 0], atol=1e-5)


def test_bytes_of_images_arrive_as_numbers_from_0_to_1():
    net, _ = nets.made("CNN")
    whole = nets.images(whole=True)
    model = wrap(net)
    assert np.allclose(model.logits(whole.x), model.logits((whole.x / 255).astype(np.float32)), atol=1e-6)


def test_the_columns_of_a_frame_become_one_tensor_or_the_inputs_of_their_names():
    rows = nets.table()
    frame = pd.DataFrame(rows.x, columns=list("abcd"))
    model = wrap(nets.MLP())
    assert np.array_equal(model.logits(frame), model.logits(rows.x))
    torch.manual_seed(0)
    likes = wrap(nets.Recommender())
    pairs = nets.ratings().x
    assert np.array_equal(likes.logits(pd.DataFrame(pairs)), likes.logits(pairs))


def test_a_net_may_take_all_of_its_inputs_as_one_dict():
    class Whole(nets.TwoInputs):
        def forward(self, parts):
            return super().forward(parts["image"], parts["table"])

    rows = nets.pairs()
    torch.manual_seed(0)
    by_name = nets.TwoInputs()
    whole = Whole()
    whole.load_state_dict(by_name.state_dict())
    assert np.array_equal(wrap(whole).logits(rows.x), wrap(by_name).logits(rows.x))


def test_inputs_of_other_names_are_named():
    rows = nets.pairs()
    with pytest.raises(ModelError, match="forward takes image, table, and the rows have picture, table"):
        wrap(nets.TwoInputs()).predict({"picture": rows.x["image"], "table": rows.x["table"]})


def test_a_column_of_text_is_named():
    frame = pd.DataFrame({"a": [1.0], "colour": ["red"]})
    with pytest.raises(DataError, match="column 'colour' holds"):
        wrap(linear(2)).predict(frame)


def test_rows_that_do_not_fit_in_memory_are_read_as_they_are_needed(tmp_path, monkeypatch):
    rows = nets.table()
    path = tmp_path / "x.npy"
    np.save(path, rows.x)
    mapped = np.load(path, mmap_mode="r")
    model = wrap(nets.MLP(dropout=0.0))
    recipe = Recipe().replace(start="champion", lr=0.01, epochs=2)
    whole = model.fit(recipe.bind(train=rows))
    monkeypatch.setattr("incumbent.models.torch._input.EAGER", 100)
    lazily = model.fit(recipe.bind(train=rows.replace(x=mapped)))
    assert np.array_equal(lazily.logits(mapped), whole.logits(rows.x))


# ------------------------------------------------------------------------------------------------ storage


@pytest.mark.parametrize("kind", nets.CASES)
def test_a_stored_net_is_of_its_class_and_says_the_same(kind, tmp_path):
    net, rows = nets.made(kind)
    model = wrap(net).infer_outputs(rows.y)
    save(model, tmp_path)
    again = load(tmp_path)
    assert type(again.native) is type(net)
    assert np.array_equal(again.logits(rows.x), model.logits(rows.x))


def test_plain_rows_of_layers_are_stored_without_a_factory(tmp_path):
    net = nn.Sequential(
        nn.Conv2d(1, 4, (3, 3), padding="same", bias=False),
        nn.BatchNorm2d(4, eps=1e-3),
        nn.Sequential(nn.LeakyReLU(0.2), nn.Dropout(0.3)),
        nn.AdaptiveAvgPool2d((2, 2)),
        nn.Flatten(),
        nn.Linear(16, 3),
    ).eval()
    x = nets.images().x
    save(wrap(net), tmp_path)
    again = load(tmp_path)
    assert repr(again.native) == repr(net)
    assert np.array_equal(again.logits(x), wrap(net).logits(x))


def test_a_factory_and_a_prepare_function_are_stored_by_name(tmp_path):
    torch.manual_seed(0)
    model = wrap(nets.build(hidden=5), factory=nets.build, arguments={"hidden": 5}, prepare=nets.doubled)
    rows = nets.table()
    save(model, tmp_path)
    again = load(tmp_path)
    assert (again.net.factory, again.prepare) == ({"call": "nets:build", "with": {"hidden": 5}}, "nets:doubled")
    assert np.array_equal(again.logits(rows.x), wrap(model.native).logits(2 * rows.x))


class Hidden(nn.Module):
    """It does not keep what it was made with."""

    def __init__(self, width):
        super().__init__()
        self.one = nn.Linear(2, width)

    def forward(self, x):
        return self.one(x)


class Secret(nn.Module):
    """Made with something else than its default says, which its weights do not show."""

    def __init__(self, slope=1.0):
        super().__init__()
        self.steepness = slope
        self.one = nn.Linear(2, 3)

    def forward(self, x):
        return self.steepness * self.one(x)


@pytest.mark.parametrize(
    ("net", "sentence"),
    [
        (lambda: Hidden(3), "Hidden was made with width=..., which it does not keep"),
        (lambda: Secret(2.0), "gives a different module .steepness differs.. Pass a function that builds it"),
    ],
)
def test_a_net_that_cannot_be_made_again_asks_for_its_factory(net, sentence, tmp_path):
    with pytest.raises(ModelError, match=sentence):
        save(wrap(net()), tmp_path)


def test_a_class_from_a_function_asks_for_a_factory_too(tmp_path):
    class Local(nets.MLP):
        pass

    with pytest.raises(ModelError, match="cannot be imported later. Pass a function that builds it: incumbent.wrap"):
        save(wrap(Local()), tmp_path)


@pytest.mark.parametrize(
    ("factory", "sentence"),
    [
        ("nowhere:build", "cannot be imported .No module named 'nowhere'..*install its package"),
        ("nets:biuld", "nets has no 'biuld'; it has"),
        ("nets", 'write "package.module:name"'),
        ("nets:table", "gives a Batch; a torch.nn.Module was expected"),
    ],
)
def test_a_factory_that_does_not_work_is_named_with_what_to_type(factory, sentence):
    with pytest.raises(ModelError, match=sentence):
        wrap(nets.build(), factory=factory)


def test_a_factory_of_another_net_is_found_out_at_once():
    with pytest.raises(ModelError, match="head.weight has shape"):
        wrap(nets.build(hidden=4), factory="nets:build")


def test_a_damaged_file_of_weights_is_named(tmp_path):
    save(wrap(nets.build()), tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be read as a safetensors file"):
        load(tmp_path)


def test_tied_weights_are_stored_once_and_stay_tied(tmp_path):
    net = nets.Tied()
    save(wrap(net), tmp_path)
    again = load(tmp_path).native
    assert again.out.weight is again.table.weight
    x = np.arange(12).reshape(3, 4) % 7
    assert np.array_equal(wrap(again).logits(x), wrap(net).logits(x))


# ------------------------------------------------------------------------------------------------ refusals


def test_a_net_without_weights_or_with_broken_ones_is_refused():
    with pytest.raises(ModelError, match="has no weights"):
        wrap(nn.ReLU())
    net = linear(2)
    with torch.no_grad():
        net[0].bias[0] = float("nan")
    with pytest.raises(ModelError, match="0.bias of Sequential are not all finite"):
        wrap(net)
    with pytest.raises(ModelError, match="lazy layers without weights"):
        wrap(nn.LazyLinear(3))


def test_what_only_a_net_can_be_told_is_refused_for_others():
    from sklearn.linear_model import Ridge

    with pytest.raises(UsageError, match="factory= is for PyTorch modules"):
        wrap(Ridge().fit([[0.0], [1.0]], [0, 1]), factory="nets:build")


def test_a_gpu_that_is_not_there_is_named():
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(ModelError, match="torch finds none"):
        wrap(linear(2), device="cuda").predict(ROWS)


def test_no_rows_give_no_predictions():
    assert len(wrap(linear(3)).predict(ROWS[:0])) == 0


def test_ids_beyond_a_table_are_read_as_its_mean_row():
    net, rows = nets.made("recommender")
    model = wrap(net).infer_outputs(rows.y)
    some = {"user": np.array([3, 40]), "item": np.array([2, 2])}
    mean = nets.Recommender(users=21)
    with torch.no_grad():
        for name, value in net.named_parameters():
            if name != "user.weight":
                mean.get_parameter(name).copy_(value)
        mean.user.weight[:20].copy_(net.user.weight)
        mean.user.weight[20] = net.user.weight.mean(0)
    wanted = wrap(mean).logits({"user": np.array([3, 20]), "item": np.array([2, 2])})
    assert np.allclose(model.logits(some), wanted, atol=1e-6)
    assert net.user.weight.shape == (20, 4)


def test_weights_hold_the_statistics_of_normalisation_and_can_be_set():
    net, rows = nets.made("CNN")
    model = wrap(net).infer_outputs(rows.y)
    weights = model.weights()
    assert {"first.1.running_mean", "first.1.weight", "head.bias"} <= set(weights)
    assert "first.1.num_batches_tracked" not in weights
    weights["head.bias"] += 1
    assert np.allclose(model.with_weights(weights).logits(rows.x), model.logits(rows.x) + 1, atol=1e-5)
    with pytest.raises(ModelError, match=r"head.bias has shape \(2,\), and the net's has \(3,\)"):
        model.with_weights({"head.bias": np.zeros(2)})


def test_features_are_what_the_last_layer_reads():
    net, rows = nets.made("MLP")
    net.eval()
    assert np.allclose(wrap(net).features(rows.x), net.body(torch.from_numpy(rows.x)).detach().numpy())


def test_rows_may_be_weighed():
    rows = nets.table(2)
    model = wrap(linear(2, 4))
    recipe = Recipe().replace(start="champion", lr=0.05, epochs=30)
    only = model.fit(recipe.bind(train=rows.replace(weight=(rows.y == 1).astype(float))))
    assert np.mean(only.predict(rows.x).label == 1) > 0.8
    even = model.fit(recipe.bind(train=rows.replace(weight=np.full(len(rows), 3.0))))
    plain = model.fit(recipe.bind(train=rows))
    assert np.allclose(even.logits(rows.x), plain.logits(rows.x), atol=1e-5)


def test_a_label_outside_the_classes_is_named():
    model = wrap(linear(3))
    with pytest.raises(ModelError, match="The label 7 is none of the classes of the net: 0, 1, 2"):
        model.spec.targets(np.array([0, 7]))
