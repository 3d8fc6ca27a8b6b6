"""The engine for nets, without a framework.

A framework brings tensors, gradients and layers. All the rest is here, once:

=========================  ==========================================================================================
``_model``                 `NetModel`, the adapter: predict, fit, weights, importances, exact heads, save and load
``_output_spec``           `OutputSpec`: what the outputs of a net mean
``_outputs``               rows through a net in batches that fit into memory
``_prepare``, ``_head``    what changes in a net before it is trained: freeze, wider or new head, LoRA, perturbation
``_fit``, ``_data``        what a net is trained on: labels, soft targets, stored outputs, penalties
``_trainer``, ``_steps``   the loop: epochs, steps, early stopping, deadline, checkpoints, divergence
``_order``, ``_subset``    which rows each step takes, drawn by NumPy: one seed draws the same rows in every framework
``_losses``                task loss, soft targets (LwF), stored outputs (DER), weights of rows and classes
``_penalty``               pulls on the weights (EWC, L2-SP, SI, MAS), with an implicit step for SGD
``_traces``                moving average of the weights (EMA), path integral (SI)
``_importances``           Fisher information and its relatives
``_schedule``              number of epochs, learning rate along the way
``_rate_test``             learning-rate range test
=========================  ==========================================================================================

To add a framework, write a class for each of four protocols in ``_net``, and an adapter:

==============  =====================================================================================================
`Ops`           ten operations on tensors (``asarray``, ``numpy``, ``take``, ``concat``, ``mean``, ``log_softmax``,
                ``cross_entropy``, ``softplus``, ``log``, ``clip``), four on lists of weights (``subtract``,
                ``multiply``, ``divide``, ``add_``)
`Optimizer`     ``backward`` of a loss and ``update`` by a learning rate; ``weights``, ``gradients``, ``velocity`` for
                what acts on a step; ``state`` for checkpoints
`HeadLayer`     the layer that makes the outputs: ``weights``, ``set_weights``, ``redraw``, ``features``, ``outputs``
`Net`           forward: ``rows``, ``forward``, ``at_rest``, ``seeded``, ``output_layer``, ``device``, ``moved``
                training: ``learn``, ``optimizer``, ``finish``, ``gradient_powers``
                weights: ``weights``, ``load_weights``, ``state``, ``load_state``, ``copy``
                structure: ``parts``, ``blocks``, ``freeze``, ``head``, ``redrawn``
                if it has such: ``widen_tables``, ``rebuilt``, ``add_lora``, ``with_exact_head``
                files: ``save``, ``load``
adapter         ``class KerasModel(NetModel): framework = KerasNet``, and what `wrap` passes on to it
==============  =====================================================================================================

`incumbent.models.torch` is the first framework. The tests have a second one in NumPy, which is small enough to read:
``tests/models/nets/numpy_net.py``.

A framework with a loop of its own (Keras ``fit``, the Trainer of Transformers) takes the rows of `epoch_order` and the
loss of `Steps.loss_at`, which is a function of positions only: a framework may compile it once.
"""

from incumbent.models.exact._head import Head as ExactHead
from incumbent.models.exact._projection import RandomReLU
from incumbent.models.nets._fit import penalties, training_task
from incumbent.models.nets._importances import importances
from incumbent.models.nets._losses import (
    SoftTargets,
    StoredOutputs,
    TaskLoss,
    class_weights,
    soft_loss,
    stored_loss,
    stored_weight,
)
from incumbent.models.nets._model import NetModel
from incumbent.models.nets._net import (
    HeadLayer,
    Inputs,
    Net,
    Ops,
    Optimizer,
    OptimizerSettings,
    OutputLayer,
    Rows,
    Score,
)
from incumbent.models.nets._order import batch_bounds, draw_balanced, draw_replay
from incumbent.models.nets._output_spec import OutputSpec, infer_output_spec
from incumbent.models.nets._prepare import NetToTrain, prepare_net
from incumbent.models.nets._rate_test import last_harmless, loss_changes, range_test
from incumbent.models.nets._schedule import rate_factor
from incumbent.models.nets._steps import Steps, row_losses, set_to_learn
from incumbent.models.nets._subset import epoch_order, irreducible_losses
from incumbent.models.nets._trainer import train

__all__ = [
    "ExactHead",
    "HeadLayer",
    "Inputs",
    "Net",
    "NetModel",
    "NetToTrain",
    "Ops",
    "Optimizer",
    "OptimizerSettings",
    "OutputLayer",
    "OutputSpec",
    "RandomReLU",
    "Rows",
    "Score",
    "SoftTargets",
    "Steps",
    "StoredOutputs",
    "TaskLoss",
    "batch_bounds",
    "class_weights",
    "draw_balanced",
    "draw_replay",
    "epoch_order",
    "importances",
    "infer_output_spec",
    "irreducible_losses",
    "last_harmless",
    "loss_changes",
    "penalties",
    "prepare_net",
    "range_test",
    "rate_factor",
    "row_losses",
    "set_to_learn",
    "soft_loss",
    "stored_loss",
    "stored_weight",
    "train",
    "training_task",
]
