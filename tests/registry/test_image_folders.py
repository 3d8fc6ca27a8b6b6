"""A folder of images by class, from bringing a net in to its predictions, in Python and on the command line."""

from __future__ import annotations

import itertools
import json
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")
Image = pytest.importorskip("PIL.Image", reason="images are read through Pillow")

import incumbent  # noqa: E402
from incumbent import Registry  # noqa: E402
from incumbent.cli import run  # noqa: E402
from incumbent.data import read, scale_0_1, scale_minus1_1  # noqa: E402

BUILD = '''"""A small net for grey images of 16 x 16."""

from torch import nn


class Small(nn.Module):
    def __init__(self, channels: int = 1) -> None:
        super().__init__()
        self.channels = channels
        look = nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten()
        self.look, self.head = nn.Sequential(*look), nn.Linear(8 * 4 * 4, 3)

    def forward(self, x):
        return self.head(self.look(x))
'''
NAMES = {3: "three", 5: "five", 8: "eight"}


def draw(folder, rows, sides, *, mirrored=False, mode="L"):
    """Write digits as images of several sizes, the larger ones not square."""
    x, y = load_digits(return_X_y=True)
    for number, side in zip(np.flatnonzero(np.isin(y, list(NAMES)))[rows], itertools.cycle(sides)):
        image = Image.fromarray((15.9 * x[number].reshape(8, 8)).astype(np.uint8))
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else image
        file = folder / NAMES[y[number]] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        image.resize((side, side + side % 3), Image.Resampling.BILINEAR).convert(mode).save(file)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with what a user has: images, and a net in a file of weights with what builds it."""
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("digits")
    draw(folder / "old", slice(0, 150), (16, 20, 24))
    draw(folder / "held", slice(150, 300), (18, 30))
    draw(folder / "new", slice(300, None), (20, 28, 32), mirrored=True)
    draw(folder / "colour", slice(300, 320), (20, 28), mirrored=True, mode="RGB")
    (folder / "small_nets.py").write_text(BUILD)
    (folder / "gate.toml").write_text("tolerance = 0.3\n")
    sys.path.insert(0, str(folder))
    try:
        from small_nets import Small
    finally:
        sys.path.remove(str(folder))
    rows = read(folder / "old", tensors=True, size=16)
    x, y = torch.from_numpy(scale_0_1(rows.parts["x"])), np.unique(rows.parts["target"], return_inverse=True)[1]
    torch.manual_seed(0)
    net = Small()
    steps = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(60):
        steps.zero_grad()
        torch.nn.functional.cross_entropy(net(x), torch.from_numpy(y)).backward()
        steps.step()
    save_file(net.state_dict(), folder / "net.safetensors")
    return folder, net.eval()


@pytest.fixture
def here(made, monkeypatch, shared_store):
    monkeypatch.chdir(made[0])
    monkeypatch.setenv("INCUMBENT_STORE", str(shared_store))
    return made[0]


def test_a_folder_of_images_of_any_size_goes_through_the_command_line(here, capsys, name):
    init = ["init", "net.safetensors", "--factory", "small_nets:Small", "--data", "old", "--target", "digit"]
    init += ["--anchor", "held", "--gate", "gate.toml", "--name", name]
    assert run(init) != 0
    said = capsys.readouterr().err
    assert "The images of old differ in size (height x width): " in said and "incumbent init ... --size" in said
    assert run([*init, "--size", "16"]) != 0
    assert "--prepare incumbent.data:scale_0_1 (0 to 1)" in capsys.readouterr().err
    assert run([*init, "--size", "20", "--prepare", "incumbent.data:scale_0_1"]) != 0
    assert "The net takes images of another size than 20 x 20" in capsys.readouterr().err
    assert run([*init, "--size", "16x16", "--prepare", "incumbent.data:scale_0_1"]) == 0
    said = capsys.readouterr().out
    assert f"{name} version 1 is live." in said and "Model:    Small" in said and "Warning: " not in said
    assert "Old rows: 150 rows" in said

    learn = ["--strategy", "chain(Replay(1000), Incremental(lr=0.01, epochs=20))"]
    assert run(["update", "new", "--name", name, *learn, "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["decision"] == "promote"
    assert "images were resized to 16 x 16 (height x width)" in outcome["findings"][0]["text"]
    assert run(["evaluate", "new", "--name", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] > 0.6
    assert run(["predict", "new/five", "--name", name, "-o", "said.csv"]) == 0
    said = pd.read_csv("said.csv")
    assert said.columns[0] == "file" and (said["prediction"] == "five").mean() > 0.5
    assert said["file"].tolist() == sorted(file.name for file in (here / "new" / "five").iterdir())


def test_a_size_for_rows_that_are_no_images_is_a_wrong_use(here, capsys, name):
    pd.DataFrame({"a": [0.0, 1.0], "digit": [0, 1]}).to_csv("table.csv", index=False)
    init = ["init", "net.safetensors", "--factory", "small_nets:Small", "--target", "digit", "--name", name]
    assert run([*init, "--data", "table.csv", "--size", "16"]) != 0
    assert "size is for a folder of images, and table.csv is none" in capsys.readouterr().err
    assert run([*init, "--data", "old", "--size", "16 by 16"]) != 0
    assert "--size 224x224 or 224); got '16 by 16'" in capsys.readouterr().err


def test_in_python_the_size_is_said_once_too(here, made, name):
    registry = Registry()
    came = registry.init(name, made[1], "old", size=(16, 16), factory="small_nets:Small", prepare=scale_0_1)
    assert came.schema.inputs[0].shape == (16, 16, 1) and not came.check.warnings
    assert [f.text.split(":")[0] for f in came.check.findings] == [
        "150 of 150 images were resized to 16 x 16 (height x width), stretched and not cropped"
    ]
    said = registry.predict(name, "new")
    classes = [file.split("/")[0] for file in said["file"]]
    assert len(said) == len(read("new", tensors=True, size=3)) and set(classes) == set(NAMES.values())
    assert registry.evaluate(name, "held")["accuracy"] == np.mean(
        registry.predict(name, "held")["prediction"] == read("held", tensors=True, size=3).parts["target"]
    )
    assert "file" not in registry.predict(name, read("new", tensors=True, size=16))


def test_images_are_read_in_the_channels_that_the_net_takes(here, made, name):
    from small_nets import Small

    registry = Registry()
    grey = registry.init(name, made[1], "colour", size=16, factory="small_nets:Small", prepare=scale_0_1)
    assert grey.schema.inputs[0].shape == (16, 16, 1)
    assert any("20 of 20 images in colour were read as grey" in finding.text for finding in grey.check.warnings)
    three = {
        "factory": "small_nets:Small",
        "arguments": {"channels": 3},
        "prepare": "incumbent.data:normalize_imagenet",
    }
    colour = registry.init(f"{name}-3", Small(3), "old", size=16, **three)
    assert colour.schema.inputs[0].shape == (16, 16, 3)
    assert any("150 images are grey, and read in colour" in finding.text for finding in colour.check.findings)
    assert len(registry.predict(f"{name}-3", "colour")) == 20


def test_a_net_that_is_prepared_otherwise_than_in_training_is_found_out(here, made, name, capsys):
    init = ["init", "net.safetensors", "--factory", "small_nets:Small", "--data", "old", "--target", "digit"]
    assert run([*init, "--size", "16", "--prepare", "incumbent.data:scale_minus1_1", "--name", name]) == 0
    said = capsys.readouterr().out
    assert (
        "Warning:  Of 100 of these rows the net is right in 100% with --prepare incumbent.data:scale_0_1, and in "
        in said
    )
    registry = Registry()
    right = incumbent.wrap(made[1], prepare=scale_minus1_1, classes=["eight", "five", "three"])
    rows = read("old", tensors=True, size=16)
    said_so = right.predict(rows.parts["x"]).label
    same = registry.init(f"{name}-2", right, (rows.parts["x"], said_so))  # as if it had been trained so
    assert not any("--prepare" in finding.text for finding in same.check.findings)


def test_an_update_in_memory_reads_new_images_as_those_that_the_model_learned(here, made):
    live = incumbent.wrap(made[1], prepare=scale_0_1, classes=["eight", "five", "three"])
    old = read("old", tensors=True, size=16)
    outcome = incumbent.update(live, "new", data=old, strategies="Analytic(64)", gate=incumbent.Gate(tolerance=None))
    assert outcome.decision == "promote" and outcome.champion.predict(old.parts["x"]).label.shape == (150,)
    assert any("were resized to 16 x 16" in finding.text for finding in outcome.check.findings)
