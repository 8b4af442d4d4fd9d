"""Optimisers: how parameters follow their gradients, and how the learning rate changes on the way.

    optimiser = Adam(network.parameters(), lr=1e-3)
    for step in range(steps):
        optimiser.lr = schedule(step)
        network.zero_grad()
        loss(...).backward()
        optimiser.step()

Parameters are changed in place. In the formulas p is a parameter, g its gradient and t the number of the step from 1.
"""

import math

import numpy as np

from minireg import backend
from minireg.backend import xp
from minireg.errors import InputError


class Optimiser:
    """Base of the optimisers: parameters, a learning rate, and state arrays that a checkpoint can keep.

    A subclass names in `slots` the arrays of state that it keeps for each parameter; they begin at zero. Raises
    InputError where there are no parameters, or the learning rate is negative or NaN.
    """

    slots = ()

    def __init__(self, parameters, lr):
        self.parameters = list(parameters)
        if not self.parameters:
            raise InputError("there are no parameters to optimise: pass those of a network, network.parameters()")
        if not lr >= 0:
            raise InputError(f"the learning rate must not be negative, got {lr}")
        self.lr = lr
        self.steps = 0
        self.state = {slot: [xp.zeros_like(p.data) for p in self.parameters] for slot in self.slots}

    def step(self):
        """Change every parameter that has a gradient; each is one assignment to `.data`, which the graph notices."""
        self.steps += 1
        for index, parameter in enumerate(self.parameters):
            if parameter.grad is not None:
                backend.refuse_foreign_array(parameter.grad, f"{type(self).__name__}.step")
                parameter.data += self._update(index, parameter.data, parameter.grad)

    def _update(self, index, p, g):
        """What to add to parameter number `index`."""
        raise TypeError(f"{type(self).__name__} does not say how to update")

    def state_dict(self):
        """The number of steps and copies of all state, as NumPy arrays by name."""
        state = {"steps": np.array(self.steps)}
        for slot, arrays in self.state.items():
            state |= {f"{slot}.{i}": np.array(backend.to_host(array)) for i, array in enumerate(arrays)}
        return state

    def load_state_dict(self, state):
        """Take over what `state_dict` returned. Raises InputError, before any change, if it is of another optimiser."""
        own = self.state_dict()
        if state.keys() != own.keys() or any(state[name].shape != own[name].shape for name in own):
            raise InputError(
                f"the optimiser state in this file does not belong to {type(self).__name__} of this network"
            )
        self.steps = int(state["steps"])
        for slot, arrays in self.state.items():
            for i, array in enumerate(arrays):
                array[...] = backend.to_device(state[f"{slot}.{i}"])


class SGD(Optimiser):
    """Stochastic gradient descent:  v <- momentum v + g,  p <- p - lr v.

    Source: Polyak, Some methods of speeding up the convergence of iteration methods, USSR Computational Mathematics and
    Mathematical Physics 4 (1964), doi:10.1016/0041-5553(64)90137-5; in PyTorch's form.

    >>> p = Tensor([1.0], requires_grad=True)
    >>> (p * p).sum().backward()  # g = 2
    >>> SGD([p], lr=0.25).step()
    >>> p.data.tolist()
    [0.5]
    """

    def __init__(self, parameters, lr, momentum=0.0):
        self.slots = ("velocity",) if momentum else ()
        super().__init__(parameters, lr)
        self.momentum = momentum

    def _update(self, index, p, g):
        if not self.momentum:
            return -self.lr * g
        velocity = self.state["velocity"][index]
        velocity *= self.momentum
        velocity += g
        return -self.lr * velocity


class Adam(Optimiser):
    """m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,  p <- p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

    Source: Kingma and Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1, arXiv:1412.6980.

    >>> p = Tensor([1.0, 1.0], requires_grad=True)
    >>> (p * Tensor([2.0, -300.0])).sum().backward()
    >>> Adam([p], lr=0.5).step()  # the first step is lr, whatever the size of the gradient
    >>> p.data.round(3).tolist()
    [0.5, 1.5]
    """

    slots = ("mean", "square")

    def __init__(self, parameters, lr, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(parameters, lr)
        self.betas, self.eps = betas, eps

    def _update(self, index, p, g):
        (b1, b2), mean, square = self.betas, self.state["mean"][index], self.state["square"][index]
        mean += (1 - b1) * (g - mean)
        square += (1 - b2) * (g * g - square)
        size = self.lr / (1 - b1**self.steps)
        return -size * mean / (xp.sqrt(square / (1 - b2**self.steps)) + self.eps)


class AdamW(Adam):
    """Adam, and beside it  p <- p - lr weight_decay p, apart from the adaptive step. For library users.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2, arXiv:1711.05101.

    >>> p = Tensor([1.0], requires_grad=True)
    >>> p.sum().backward()
    >>> AdamW([p], lr=0.5, weight_decay=0.5).step()  # 0.5 less by Adam, 0.25 by the decay
    >>> p.data.round(3).tolist()
    [0.25]
    """

    def __init__(self, parameters, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(parameters, lr, betas, eps)
        self.weight_decay = weight_decay

    def _update(self, index, p, g):
        return super()._update(index, p, g) - self.lr * self.weight_decay * p


class Muon(Adam):
    """For weights with a matrix in them, the direction of the momentum with all its singular values made equal.

    A gradient is often nearly of low rank: a few directions get all of the step. With m the momentum and U S V^T the
    singular value decomposition of m, reshaped to (everything but the output channels) x (output channels):

        m <- momentum m + (1 - momentum) g,        p <- p - lr 0.2 sqrt(rows or columns, whichever are more) U V^T

    where U S V^T is in fact that of Nesterov's look ahead, momentum m + (1 - momentum) g.
    U V^T comes from five Newton-Schulz iterations (`_orthogonalised`), which need nothing but matrix products. The
    factor gives the step the size that it has with Adam, which is used for everything else (biases, and weights with
    fewer than `least` output channels), so both share one learning rate.

    Source: Jordan et al., Muon: an optimizer for hidden layers in neural networks, kellerjordan.github.io/posts/muon,
    2024; for the factor, Liu et al., Muon is scalable for LLM training, 2025, equation 4, arXiv:2502.16982.

    >>> p = Tensor(np.zeros((4, 4)), requires_grad=True)
    >>> (p * np.diag([1.0, 2.0, 3.0, 4.0])).sum().backward()
    >>> Muon([p], lr=2.5).step()  # 2.5 0.2 sqrt(4) = 1 times U V^T, here the identity, nearly
    >>> bool(abs(p.data + np.eye(4)).max() < 0.4)
    True
    """

    def __init__(self, parameters, lr, momentum=0.95, least=3):
        super().__init__(parameters, lr)
        self.momentum, self.least = momentum, least

    def _update(self, index, p, g):
        if p.ndim < 2 or p.shape[-1] < self.least:
            return super()._update(index, p, g)
        mean = self.state["mean"][index]
        mean += (1 - self.momentum) * (g - mean)
        # Nesterov's momentum: where the mean will be, if the next gradient is like this one.
        ahead = (mean + (1 - self.momentum) * (g - mean)).reshape(-1, p.shape[-1])
        return -self.lr * 0.2 * max(ahead.shape) ** 0.5 * _orthogonalised(ahead).reshape(p.shape)


def _orthogonalised(matrix, iterations=5):
    """Nearly U V^T of a matrix U S V^T: its singular values all brought into about [.7, 1.2].

    x <- a x + b (x x^T) x + c (x x^T)^2 x does a s + b s^3 + c s^5 to every singular value s in (0, 1] and leaves U and
    V alone; these a, b, c lift small values fastest. Source: as for `Muon`, Jordan et al.
    """
    if matrix.shape[0] > matrix.shape[1]:  # x x^T is smallest for a wide matrix
        return _orthogonalised(matrix.T, iterations).T
    x = matrix / (xp.sqrt(xp.sum(matrix * matrix)) + 1e-7)  # at least the largest singular value
    for _ in range(iterations):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * (gram @ gram)) @ x
    return x


def constant_schedule(lr):
    """The same learning rate in every step.

    >>> constant_schedule(0.1)(7)
    0.1
    """
    return lambda step: lr


def cosine_schedule(lr, steps, warmup=0):
    """A linear rise to `lr` over the first `warmup` steps, then half a cosine down to 0 at `steps`.

    Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017, equation 5, without
    restarts, arXiv:1608.03983.

    >>> rate = cosine_schedule(1.0, steps=10, warmup=2)
    >>> [round(rate(step), 3) for step in (0, 1, 2, 6, 10)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """

    def rate(step):
        if step < warmup:
            return lr * (step + 1) / warmup
        progress = min(1.0, (step - warmup) / max(1, steps - warmup))
        return lr * (1 + math.cos(math.pi * progress)) / 2

    return rate


def clip_gradient_norm(parameters, largest):
    """Shorten all gradients together so that their joint Euclidean norm is at most `largest`.

    Returns the norm before, a float64 array of no axes. It stays where the backend computes: to ask a GPU for a number
    is to wait for it. Where it is not finite the gradients are left as they are.

    Source: Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural networks, ICML 2013, algorithm 1,
    arXiv:1211.5063.

    >>> p = Tensor([1.0, 1.0], requires_grad=True)
    >>> (p * Tensor([3.0, 4.0])).sum().backward()
    >>> float(clip_gradient_norm([p], 2.5)), p.grad.tolist()
    (5.0, [1.5, 2.0])
    """
    with_gradient = [p for p in parameters if p.grad is not None]
    squares = [xp.sum(p.grad * p.grad) for p in with_gradient]
    norm = xp.sqrt(xp.asarray(sum(squares), dtype="float64"))
    too_long = xp.isfinite(norm) & (norm > largest)
    factor = xp.where(too_long, largest, 1) / xp.where(too_long, norm, 1)  # 1 leaves every bit as it is
    for parameter in with_gradient:
        parameter.grad = xp.asarray(parameter.grad * factor.astype(parameter.grad.dtype))
    return norm
