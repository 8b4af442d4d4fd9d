"""Saving a training run in one file, and reading it back.

A checkpoint is a NumPy archive (.npz) of plain arrays, read with `allow_pickle=False`: opening one from a stranger
runs no code. Each array's name says where it belongs, "model/head.weight", and one array, "meta", is a text in JSON.
"""

import json
import zipfile
from pathlib import Path

import numpy as np

from minireg.errors import InputError
from minireg.files import save_npz
from minireg.models import MODELS
from minireg.training.configuration import read_configuration

FORMAT = "minireg checkpoint 1"


def save_checkpoint(path, meta, **groups):
    """Write a checkpoint; it appears whole or not at all.

    Parameters
    ----------
    path : str or Path
    meta : dict of what JSON can hold
    groups : dicts of NumPy arrays by name, such as model=network.state_dict()

    Raises OSError as the operating system reports it; an earlier file of that name is still there then.

    >>> save_checkpoint("checkpoint.npz", {"step": 3}, model={"weight": np.ones(2)})
    >>> load_checkpoint("checkpoint.npz")
    ({'step': 3}, {'model': {'weight': array([1., 1.])}})
    """
    arrays = {f"{group}/{name}": array for group, entries in groups.items() for name, array in entries.items()}
    save_npz(path, meta=np.array(json.dumps({"format": FORMAT, **meta})), **arrays)


def load_checkpoint(path):
    """Read what `save_checkpoint` wrote.

    Returns
    -------
    meta : dict
    groups : dict of dicts of arrays: groups["model"]["head.weight"]

    Raises InputError where there is no such file, or it is not a checkpoint of this project, damaged or cut short.

    >>> load_checkpoint("nowhere.npz")
    Traceback (most recent call last):
    minireg.errors.InputError: there is no checkpoint nowhere.npz: name the checkpoint.npz of a run folder
    """
    path = Path(path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.zip.infolist()):
                raise zipfile.BadZipFile("it is compressed, and might unpack to anything; minireg never compresses")
            if archive.zip.testzip() is not None:  # NumPy itself stops reading where an array ends, before the checksum
                raise zipfile.BadZipFile("a checksum is wrong")
            arrays = {name: archive[name] for name in archive.files}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):  # of other members NumPy gives bytes
            raise ValueError
        meta = json.loads(str(arrays.pop("meta")))
        if meta.pop("format") != FORMAT:
            raise KeyError("format")
    except FileNotFoundError:
        raise InputError(f"there is no checkpoint {path}: name the checkpoint.npz of a run folder") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder: name the checkpoint.npz in it") from None
    except PermissionError:
        raise InputError(f"the checkpoint {path} may not be read: check its permissions") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path} is not a checkpoint of minireg: expected a file written by minireg.train") from None
    except Exception as error:  # damaged archives raise errors of many kinds
        raise InputError(f"{path} is not a checkpoint, or it is damaged or cut short ({error})") from None
    groups = {}
    for name, array in arrays.items():
        group, _, entry = name.partition("/")
        groups.setdefault(group, {})[entry] = array
    return meta, groups


def load_network(path):
    """The network of a checkpoint, ready to use, and its Configuration. `Trainer` has an example.

    Raises InputError as `load_checkpoint`, and for a network that this version does not have.
    """
    meta, groups = load_checkpoint(path)
    configuration = read_configuration(meta, path)
    network = MODELS[configuration.model](np.random.default_rng(0))
    try:
        network.load_state_dict(groups.get("model", {}))
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None
    return network.eval(), configuration
