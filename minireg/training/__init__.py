"""One training run: what decides it, what it minimises, the loop, and the file that it is saved in.

    configuration = configure(options)
    source = configuration.source()
    trainer = Trainer(configuration.completed(source), source, "runs/first")
    trainer.train()
    network, configuration = load_network("runs/first/checkpoint.npz")

`configuration.py` has the recipes and says which option wins, `objective.py` has the loss, `group.py` the processes
that train as one, `validation.py` tells whether it generalises, `trainer.py` is the loop, `checkpoint.py` saves and
reads, `profile.py` and `board.py` show what happens meanwhile.
"""

from minireg.training.checkpoint import load_checkpoint, load_network, save_checkpoint
from minireg.training.configuration import Configuration, configure, read_configuration, source_to_evaluate
from minireg.training.group import Group
from minireg.training.objective import backpropagate, objective
from minireg.training.trainer import CHECKPOINT, Trainer

__all__ = [
    "CHECKPOINT", "Configuration", "Group", "Trainer", "backpropagate", "configure", "load_checkpoint",
    "load_network", "objective", "read_configuration", "save_checkpoint", "source_to_evaluate",
]  # fmt: skip
