"""The small network that comes with the demo, and the command that trains it.

    python -m minireg.demo.network

It takes about a minute, needs MNIST, and writes network.npz beside this file.
"""

if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()

import dataclasses
import sys
import tempfile
from pathlib import Path

from minireg import backend, command
from minireg.evaluation import format_table
from minireg.training import Trainer, configure
from minireg.training.checkpoint import save_checkpoint

NETWORK = Path(__file__).with_name("network.npz")
# Of minireg.train. One process: with two, sums are formed in another order, and the last digits of all numbers differ.
OPTIONS = {"data": "mnist", "digit": "all", "pairing": "random", "steps": 250, "seed": 0, "workers": 1}


def main(argv=None):
    """The command line: train, and write the network without what is needed only for training on."""
    return command.run("minireg.demo.network", lambda: _main(argv))


def _main(argv):
    parser = command.parser("minireg.demo.network", "Train the small network that comes with the demo.")
    parser.add_argument("--out", metavar="FILE", default=str(NETWORK), help="default: %(default)s")
    args = parser.parse_args(argv)
    backend.use(args.backend)
    configuration = configure(OPTIONS)
    source = configuration.source()
    configuration = configuration.completed(source)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(configuration, source, folder)
        trainer.train()
        print(format_table(trainer.report()))
    weights = trainer.network.state_dict()
    save_checkpoint(args.out, {"configuration": dataclasses.asdict(configuration)}, model=weights)
    print(f"The network is in {args.out}")


if __name__ == "__main__":
    sys.exit(main())
