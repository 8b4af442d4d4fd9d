"""The checks of the exercises of lesson 10."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw
from lessons.solutions.lesson_10 import back_from_steps, convolve_in_steps, find_kernel

LINE, EDGE = np.array([0.0, 1, 4, 4, 0]).reshape(1, 5, 1), np.array([-1.0, 0, 1]).reshape(1, 3, 1, 1)
X, W = draw(1, 8, 9, 2, low=-1), draw(2, 3, 3, 2, 3, low=-2, high=2)
WIDE = draw(3, 2, 4, 2, 1, low=-2, high=2)

CONVOLVE_IN_STEPS = Exercise(
    convolve_in_steps,
    "a convolution that halves an image",
    cases={
        "the example": (LINE, EDGE, 2),
        "one channel, stride 1": (X[:4, :5, :1], W[:, :, :1, :1], 1),
        "one channel, stride 2": (X[:5, :7, :1], W[:, :, :1, :1], 2),
        "two channels in, three out": (X[:7], W, 2),
        "a last row that no window reads": (X, W, 2),
        "a wide kernel, stride 3": (X, WIDE, 3),
    },
    mistakes="""
weight = weight[::-1, ::-1]
    You turn the kernel round. Forwards it is laid on the image as it is: its first weight on the first pixel.
stride * i : stride * i + kh, stride * j : stride * j + kw => i : i + kh, j : j + kw
    You have the right number of windows, but each begins only one pixel after the one before.
stride * j : stride * j + kw => j : j + kw
stride * i : stride * i + kh => i : i + kh
if stride > 1: return convolve_in_steps(x, weight, 1)[::stride]
if stride > 1: return convolve_in_steps(x, weight, 1)[:, ::stride]
    Your windows make steps of the stride along one axis only.
) // stride + 1 => ) // stride
- kh) // => - kh - 1) //
- kw) // => - kw - 1) //
- kh) // stride + 1 => ) // stride
- kw) // stride + 1 => ) // stride
y = np.zeros => columns = rows; y = np.zeros
rows, columns = => kw = kh; rows, columns =
    You have the wrong number of windows, along the rows or along the columns. A kernel as large as the image fits how
    often? And with stride 2, in an image that has one or two pixels more?
x = np.pad(x, ((0, weight.shape[0] - 1), (0, weight.shape[1] - 1), (0, 0)))
x = np.pad(x, [(k // 2, k // 2) for k in (*weight.shape[:2], 0)])
    Some of your windows reach out of the image, where you read zeros. The kernel lies inside it everywhere.
x, stride = x[::stride, ::stride], 1
n = stride; weight, stride = np.kron(weight, np.eye(n * n)[0].reshape(n, n, 1, 1))[: 1 - n or None, : 1 - n or None], 1
    Your windows leave out pixels. All pixels of a window count: it is the *windows* that are fewer.
np.tensordot(window, weight, 3) => np.tensordot(window, weight, 3) / (kh * kw)
np.tensordot(window, weight, 3) => np.tensordot(window, weight, 3) / window.size
    You take a mean. A convolution multiplies and adds up.
np.tensordot(window, weight, 3) => np.tensordot(window[..., :1], weight[:, :, :1], 3)
    You look at the first channel only. Every output asks its question across all channels.
""",
    telling="""
f(X[:4, :5, :1], W[:, :, :1, :1], 1)
    Begin with stride 1 and one channel. Even that is wrong: what do the loops of the lesson give?
f(X, W, 1)[..., 0] - f(X[..., :1], W[:, :, :1], 1)[..., 0] - f(X[..., 1:], W[:, :, 1:], 1)[..., 0]
    The answers across two channels must be the sum of those of each channel alone. Does each number meet the weight of
    its own row, column and channel? (`reshape` exchanges no axes.)
f(X, W, 2) - f(X, W, 1)[::2, ::2]
    Stride 2 must give every second row and every second column of what stride 1 gives.
""",
)

G = draw(4, 3, 4, 3, low=-1)
ONE = np.zeros((3, 3, 1))
ONE[1, 1] = 1
COUNTED = np.array([1.0, 2, 3]).reshape(1, 3, 1, 1)

BACK_FROM_STEPS = Exercise(
    back_from_steps,
    "the VJP of that, which makes a small image large",
    cases={
        "the example": (np.array([1.0, 10]).reshape(1, 2, 1), COUNTED, 2, (1, 5)),
        "a single 1, stride 2": (ONE, W[:, :, :1, :1], 2, (7, 7)),
        "one channel, stride 1": (G[:2, :3, :1], W[:, :, :1, :1], 1, (4, 5)),
        "three channels back to two": (G, W, 2, (7, 9)),
        "a last row and a last column that no window has read": (G, W, 2, (8, 10)),
        "a wide kernel, stride 3": (G[..., :1], WIDE, 3, (9, 13)),
    },
    mistakes="""
+= => =
    Where two windows overlap, only the last one counts. A pixel that several outputs have read matters to all of them.
weight = weight[::-1, ::-1]
    You turn the kernel, and hand out with the turned one. Only a *convolution* of g needs the turn. Which weight has
    the output used for its first pixel?
stride * i : stride * i + kh, stride * j : stride * j + kw => i : i + kh, j : j + kw
    You go back as if the stride were 1. Which pixels has the output (i, j) read?
weight @ g[i, j] => weight[..., :1] @ g[i, j, :1]
    You take the cotangent of the first output channel only. A pixel matters to all of them.
return g_x => return g_x / stride**2
    You divide by the square of the stride. A VJP is no inverse, and no mean.
size = [stride * (n - 1) + k for n, k in zip(g.shape[:2], weight.shape)]
    Your image ends with the last window. It may have been larger: pixels that nobody read have the gradient 0.
weight = weight / (weight.shape[0] * weight.shape[1])
    You divide by the number of weights in the kernel. Did the forward?
size = size[::-1]
    You have exchanged the two numbers of `size`: the rows come first.
""",
    telling="""
f(ONE, W[:, :, :1, :1], 2, (7, 7))
    Let g be a single 1 in the middle of 3 x 3, with stride 2. Then your result must be the kernel as it is, where the
    window in the middle was, and 0 around it.
f(3 * G, W, 2, (7, 9)) - 3 * f(G, W, 2, (7, 9))
    Three times the cotangent must give three times the result.
f(G[..., :1], WIDE, 3, (9, 13))[8:]
    No window has read the last row, so its gradient is 0.
f(G, W, 2, (7, 9)) - sum(f(G[..., k : k + 1], W[..., k : k + 1], 2, (7, 9)) for k in range(3))
    Go back from each channel of g alone, with the part of the kernel that made it. The sum of those must be
    your result for all channels together. (`reshape` exchanges no axes.)
np.sum(f(G, W, 2, (7, 9)) * X[:7]) - np.sum(G * convolve_in_steps(X[:7], W, 2))
    It fails the adjoint test: sum(y * g) and sum(x * your result) differ. Does every output hand out its cotangent?
""",
)


def _noisy(x, weight, seed):
    """What a kernel makes of an image, with noise on top."""
    y = convolve_in_steps(x, weight, 1)
    return y + draw(seed, *y.shape, low=-0.5, high=0.5)


def _gradient(weight, x, y):
    """How the squared error changes with each weight."""
    weight = np.asarray(weight, float)
    error = convolve_in_steps(x, weight, 1) - y
    steps = np.eye(weight.size).reshape(-1, *weight.shape)
    return [np.sum(error * convolve_in_steps(x, step, 1)) for step in steps]


NOISY = _noisy(X, W, 5)

FIND_KERNEL = Exercise(
    find_kernel,
    "the kernel that leads from one image to another",
    cases={
        "the example": (LINE, np.array([4.0, 3, -4]).reshape(1, 3, 1), 1, 3),
        "one channel": (X[..., :1], convolve_in_steps(X[..., :1], W[:, :, :1, :1], 1), 3, 3),
        "a wide kernel, two channels": (X, convolve_in_steps(X, WIDE, 1), 2, 4),
        "two channels in, three out": (X, convolve_in_steps(X, W, 1), 3, 3),
        "with noise": (X[..., :1], _noisy(X[..., :1], W[:, :, :1, :1], 6), 3, 3),
        "with noise, two channels in, three out": (X, NOISY, 3, 3),
    },
    mistakes="""
x.shape[-1], c_out) => x.shape[-1], c_out)[::-1, ::-1]
    Your kernel is turned round.
np.linalg.solve(table.T @ table, table.T @ wanted) => table.T @ wanted
    You have one half of the gradient: what the patches and y have in common. It is 0 only together with the other half.
for i, j in np.ndindex(kh, kw) => for j, i in np.ndindex(kw, kh)
    Your table goes through the window column by column, and your kernel row by row.
weight.reshape(kh, kw, x.shape[-1], c_out) => weight.reshape(x.shape[-1], kh, kw, c_out).transpose(1, 2, 0, 3)
reshape(kh, kw, x.shape[-1], c_out) => reshape(kh * kw, -1, c_out).swapaxes(0, 1).reshape(kh, kw, -1, c_out)
return weight.reshape => return weight.T.reshape
    The channels and the places of the window are mixed up. In which order does a row of your table hold them, and what
    do the rows and the columns of the matrix stand for that you have found?
table.T @ table => table.T @ table + 0.1 * np.eye(kh * kw * x.shape[-1])
table.T @ table => table.T @ table + 1e-3 * np.eye(kh * kw * x.shape[-1])
    Something is added to the diagonal. It makes the weights smaller than the best ones.
np.linalg.solve(table.T @ table, table.T @ wanted) => np.linalg.solve(table[: table.shape[1]], wanted[: table.shape[1]])
    You use only as many places as there are weights. With noise, all places together know better.
x = x - x.mean()
    You take the mean off the image. The kernel has seen the image as it was.
np.linalg.solve(table.T @ table, table.T @ wanted) => table.T @ wanted / np.sum(table**2, axis=0)[:, None]
    You find each weight as if it were alone. The others work beside it: all equations belong together.
""",
    telling="""
f(X[..., :1], X[2:, 2:, :1], 3, 3)
    Let y be x moved by two rows and two columns. The kernel that does this is exactly 0 but for a single 1. Yours is
    not. Print it: is the 1 in another place? Or does it only come near? Then it is not the end to which one can jump.
f(X, 2 * NOISY, 3, 3) - 2 * f(X, NOISY, 3, 3)
    If y is twice as bright, so are the weights. Yours are not.
np.abs(f(X, 5 + 0 * NOISY, 3, 3)).max() > 0.01
    Let y be 5 everywhere. The best kernel is not 0 then, but yours is. Do you take means off, or fit a constant, too?
_gradient(f(X, NOISY, 3, 3), X, NOISY)
    At the best kernel, the gradient of the squared error is 0. At yours it is not.
""",
)

EXERCISES = [CONVOLVE_IN_STEPS, BACK_FROM_STEPS, FIND_KERNEL]
