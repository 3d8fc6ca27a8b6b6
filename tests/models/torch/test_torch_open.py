"""Files of weights: what is in them, what builds the net, and no code without leave."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")

import nets  # noqa: E402  # needs torch
from incumbent.errors import ModelError, TrustError, UsageError  # noqa: E402
from incumbent.models import open_model, wrap  # noqa: E402

ROWS = nets.table().x


@pytest.fixture
def net():
    torch.manual_seed(3)
    return nets.build(hidden=5)


@pytest.fixture(params=["safetensors", "state_dict", "checkpoint", "parallel"])
def file(request, net, tmp_path):
    path = tmp_path / "net.bin"
    state = net.state_dict()
    if request.param == "safetensors":
        from safetensors.torch import save_file

        save_file(state, path)
    elif request.param == "checkpoint":
        torch.save({"epoch": 3, "model_state_dict": state}, path)
    elif request.param == "parallel":
        torch.save({f"module.{name}": value for name, value in state.items()}, path)
    else:
        torch.save(state, path)
    return path


def test_weights_come_back_in_the_net_that_the_factory_builds(file, net):
    made = open_model(file, factory="nets:build", arguments={"hidden": 5})
    assert np.array_equal(wrap(made).logits(ROWS), wrap(net).logits(ROWS))
    assert not made.training


def test_weights_alone_ask_for_a_factory(file):
    with pytest.raises(ModelError, match="holds the weights of a net and not the net; say what builds it: --factory"):
        open_model(file)


def test_weights_of_another_net_are_named(file):
    with pytest.raises(ModelError, match=r"has shape .* in the file and .* in the net"):
        open_model(file, factory="nets:build")


def test_a_pickled_net_is_opened_only_with_leave(net, tmp_path):
    path = tmp_path / "net.pt"
    torch.save(net, path)
    with pytest.raises(TrustError, match="pass --trust-pickle.*would load: .*nets.MLP"):
        open_model(path)
    assert np.array_equal(wrap(open_model(path, trust_pickle=True)).logits(ROWS), wrap(net).logits(ROWS))


def test_something_else_that_torch_saved_is_named(tmp_path):
    path = tmp_path / "x.pt"
    torch.save({"epoch": 3, "best": 0.5}, path)
    with pytest.raises(ModelError, match="holds a dict with the keys 'epoch', 'best', and no weights of a net"):
        open_model(path, factory="nets:build")


def test_a_factory_beside_another_kind_of_file_is_refused(tmp_path):
    path = tmp_path / "model.joblib"
    path.write_bytes(b"nothing")
    with pytest.raises(UsageError, match="factory= builds the net for a file of weights"):
        open_model(path, factory="nets:build")
