"""The part of training and updating nets that is the same in every framework.

A framework provides tensors, gradients and layers. Everything else is written once, in these files:

=========================  ==========================================================================================
``_model``                 `NetModel`, the adapter: predict, fit, weights, importances, exact heads, save and load
``_output_spec``           `OutputSpec`: what the outputs of a net mean
``_outputs``               outputs of a net, computed in batches that fit into GPU memory or RAM
``_prepare``, ``_head``    changes to a net before training: freeze, wider or new head, LoRA, perturbation
``_fit``, ``_data``        what is trained: labels, soft targets, stored outputs, penalties
``_trainer``, ``_steps``   the loop: epochs, rates, steps, early stopping, deadline, checkpoints, divergence
``_order``, ``_subset``    which rows each step takes, drawn by NumPy: one seed draws the same rows in every framework
``_losses``                task loss, soft targets (LwF), stored outputs (DER), weights of rows and classes
``_hooks``                 weight penalties (EWC, L2-SP, SI, MAS) with an implicit step for SGD, EMA, path integral
``_importances``           Fisher information and its relatives
``_rate_test``             learning-rate range test
=========================  ==========================================================================================

To add a framework, derive from four classes in ``_net`` and ``_ops``, and write an adapter. Members that are not
listed here have defaults; so do those after "if it has them":

==============  =====================================================================================================
`Ops`           eight operations: ``asarray``, ``numpy``, ``concat``, ``mean``, ``log_softmax``, ``softplus``, ``log``,
                ``clip``
`Optimizer`     ``backward`` of a loss and ``update`` by a learning rate; ``gradients`` and ``velocity`` for hooks on a
                step; ``state`` and ``load_state`` for checkpoints
`HeadLayer`     the layer that computes the outputs: ``weights``, ``set_weights``, ``features``
`Net`           forward: ``ops``, ``output_layer``, ``rows``, ``forward``, ``at_rest``
                training: ``optimizer``, ``finish``
                weights: ``weights``, ``load_weights``
                structure: ``frozen``, ``freeze``, ``head``, ``redrawn``
                files: ``save``, ``load``
                if it has them: dropout (``learn``, ``seeded``), devices (``device``, ``moved``), groups of layers
                (``parts``, ``blocks``), faster gradients by row (``gradient_powers``), statistics (``weight_names``,
                ``state``), tables (``widen_tables``), factories (``rebuilt``), LoRA (``add_lora``), exact heads
                (``with_exact_head``)
adapter         ``class KerasModel(NetModel): framework = KerasNet``, with the arguments of `wrap`
==============  =====================================================================================================

`incumbent.models.torch` is the complete example. Two small ones are ``examples/jax_adapter.py``, and
``tests/models/nets/numpy_net.py`` with gradients written by hand.

A framework with its own training loop (Keras ``fit``, the Trainer of Transformers) takes the rows of `epoch_order` and
the loss of `Steps.loss_at`. That loss is a function of positions only, so a framework can compile it once.
"""

from incumbent.models.nets._fit import training_task
from incumbent.models.nets._losses import (
    TaskLoss,
    class_weights,
    known_outputs,
    soft_loss,
    soft_targets,
    stored_loss,
    stored_weight,
)
from incumbent.models.nets._model import NetModel
from incumbent.models.nets._net import ArrayRows, HeadLayer, Inputs, Net, OutputLayer, Rows, Score
from incumbent.models.nets._ops import Ops, Optimizer, OptimizerSettings
from incumbent.models.nets._order import batch_bounds
from incumbent.models.nets._output_spec import OutputSpec
from incumbent.models.nets._prepare import prepare_net
from incumbent.models.nets._rate_test import last_harmless, loss_changes, range_test
from incumbent.models.nets._steps import Steps, row_losses
from incumbent.models.nets._subset import epoch_order, irreducible_losses
from incumbent.models.nets._trainer import rate_factor

__all__ = [
    "ArrayRows",
    "HeadLayer",
    "Inputs",
    "Net",
    "NetModel",
    "Ops",
    "Optimizer",
    "OptimizerSettings",
    "OutputLayer",
    "OutputSpec",
    "Rows",
    "Score",
    "Steps",
    "TaskLoss",
    "batch_bounds",
    "class_weights",
    "epoch_order",
    "irreducible_losses",
    "known_outputs",
    "last_harmless",
    "loss_changes",
    "prepare_net",
    "range_test",
    "rate_factor",
    "row_losses",
    "soft_loss",
    "soft_targets",
    "stored_loss",
    "stored_weight",
    "training_task",
]
