"""The checks of the exercises of lesson 3."""

import numpy as np

from lessons.check.checking import Exercise
from lessons.check.properties import draw, each_alone
from lessons.solutions.lesson_03 import best_contrast, masked_mse, ncc_of_pairs


def _pairs(seed, n, h, w, channels):
    """Pairs of images that resemble each other to different degrees, with a mean that differs between channels."""
    a, noise = draw(seed, 2, n, h, w, channels)
    a = a + 0.7 * np.arange(channels) + np.round(np.linspace(0, 0.5, n), 2)[:, None, None, None]
    likeness = np.linspace(0.8, -0.4, n)[:, None, None, None]
    return a, np.round(likeness * a + (1 - abs(likeness)) * noise, 2)


_shuffled = lambda x: x.reshape(len(x), -1)[:, np.random.default_rng(34).permutation(60)].reshape(x.shape)
A, B = _pairs(4, 2, 4, 5, 3)
BATCH = _pairs(3, 3, 4, 5, 1)
CONSTANT = np.full((1, 7, 7, 1), 0.5)

NCC_OF_PAIRS = Exercise(
    ncc_of_pairs,
    "the NCC of each pair of a batch",
    cases={
        "the example": (
            np.array([[0.0, 0.1, 0.5], [0.2, 0.3, 0.1]]).reshape(2, 1, 3, 1),
            np.array([[0.0, 0.2, 1.0], [0.5, 0.5, 0.5]]).reshape(2, 1, 3, 1),
        ),
        "one pair of 2 x 3 pixels": _pairs(2, 1, 2, 3, 1),
        "a batch of three pairs": BATCH,
        "three channels": (A, B),
        "a batch with constant images": (
            np.concatenate([CONSTANT[:, :4, :5], BATCH[0]]),
            np.concatenate([BATCH[1], CONSTANT[:, :4, :5]]),
        ),
        "float32 images, brighter by 1,000": tuple(np.float32(x + 1000) for x in _pairs(6, 2, 8, 9, 1)),
        "faint images": (1e-4 * A, 1e-4 * B),
    },
    mistakes="""
x.mean(axis=axes, keepdims=True) => x.mean()
    One mean is taken for all images of the batch. Each image has a brightness of its own.
x.mean(axis=axes, keepdims=True) => x.mean(axis=(1, 2), keepdims=True)
    Each channel has its own mean taken off. An image is the vector of *all* its numbers, and has one mean.
x - x.mean(axis=axes, keepdims=True) => x
    Nothing is centred: this is the cosine of the angle between the images as they are. Brightness counts.
np.sqrt(saa) * np.sqrt(sbb) => saa * sbb
    The denominator has no square root: it is a product of two squared lengths.
np.sqrt(saa) * np.sqrt(sbb)) => np.sqrt(saa) * np.sqrt(sbb) + 1e-5)
np.sqrt(saa) * np.sqrt(sbb)) => np.sqrt(saa) * np.sqrt(sbb) + 1e-8)
np.sqrt(saa) * np.sqrt(sbb)) => np.maximum(np.sqrt(saa) * np.sqrt(sbb), 1e-5))
    Something is added to the denominator, or it may not become small. In faint images it is small by itself.
return np.where(constant, 0, => return np.where(constant, np.nan,
return np.where(constant, 0, => return np.where(constant, 1,
    Constant images come out as nan, which is 0 / 0, or as 1. What does the docstring ask for?
""",
    telling="""
f(1e-4 * A, 2 * A + 3)
    If a becomes fainter or brighter, NCC must stay. Do you centre, divide by both lengths, and add nothing to them?
f(-A, B) - -f(A, B)
    The negative of an image must have minus the NCC of the image. Did a sign get lost?
f(_shuffled(A), _shuffled(B)) - f(A, B)
    NCC must not depend on which number lies in which row, column or channel: does everything run over all three axes?
f(CONSTANT / 5, CONSTANT * 1.4)
    Two constant images, one .1 everywhere and one .7, do not give 0. The mean of many .1 is not exactly .1 for a
    computer: something tiny is left, and tiny / tiny is not 0 / 0. How else can you see that an image is constant?
""",
    properties=[each_alone(*BATCH)],
)


def _fit(seed, *shape, alpha=1.5, beta=-0.2, noise=0.3):
    """An image, and another one that is about alpha a + beta."""
    a = draw(seed, *shape)
    return a, np.round(alpha * a + beta + draw(seed + 1, *shape, low=-noise, high=noise), 3)


EXAMPLE = np.array([[0.4, 0.8], [0.6, 1.0]])
X, Y = _fit(43, 4, 5)

BEST_CONTRAST = Exercise(
    best_contrast,
    "the contrast and brightness with which one image comes nearest to another",
    results=("alpha", "beta"),
    cases={
        "the example": (EXAMPLE, 0.5 * EXAMPLE - 0.1),
        "2 x 3 pixels, with noise": _fit(2, 2, 3),
        "a negative": _fit(4, 5, 4, alpha=-0.8, beta=1.0),
        "a is constant": (np.full((2, 3), 0.5), _fit(6, 2, 3)[1]),
        "a is faint": (1e-3 * X, Y),
    },
    mistakes="""
a, b = b, a
saa = np.sum(a_centred**2) => saa = np.sum(b_centred**2)
    Your alpha is that of the other direction: it brings b to a, or is divided by the variance of the wrong image.
saa = np.sum(a_centred**2) => saa = np.sqrt(np.sum(a_centred**2) * np.sum(b_centred**2))
    Your alpha is the correlation, the NCC. It forgets both contrasts: what must alpha be if b has twice the contrast?
np.sum(a_centred * b_centred) / saa => b.std() / a.std()
np.sum(a_centred * b_centred) / saa => np.sign(np.sum(a_centred * b_centred)) * b.std() / a.std()
    You make the standard deviations equal. That is right only where NCC is 1. Elsewhere less contrast is best.
a_centred, b_centred = a - a.mean(), b - b.mean() => a_centred, b_centred = a, b
    alpha is chosen as if there were no beta, and beta afterwards. Each depends on the other.
b.mean() - alpha * a.mean() => b.mean() - a.mean()
b.mean() - alpha * a.mean() => b.mean()
b.mean() - alpha * a.mean() => alpha * a.mean() - b.mean()
    Your beta is not the one that belongs to alpha. Which mean has alpha * a, and what is missing to the mean of b?
/ saa if np.ptp(a) > 0 else 0.0 => / saa
    alpha is right for most images, but for a constant one you divide 0 by 0. What does the docstring ask for?
saa = np.sum(a_centred**2) => saa = np.sum(a_centred**2) / a.size * (a.size - 1)
saa = np.sum(a_centred**2) => saa = np.mean(a_centred**2)
    Covariance and variance are divided by different numbers: n and n - 1 (`np.cov`, `var`), or one is not a mean.
return alpha, b.mean() - alpha * a.mean() => return b.mean() - alpha * a.mean(), alpha
    The two results are exchanged: alpha comes first, then beta.
""",
    telling="""
f(X, X)
    If b is a, nothing is to be changed: alpha must be 1 and beta 0. Which of them comes first?
f(X, 0.3 * X + 0.5)
    If b is exactly .3 a + .5, the answer must be (.3, .5). By which variance do you divide? Which sign has beta?
np.mean(f(X, Y)[0] * X + f(X, Y)[1] - Y)
    What is left over, alpha a + beta - b, has a mean other than 0. Which beta fits your alpha? Does every pixel count?
np.mean((f(X, Y)[0] * X + f(X, Y)[1] - Y) * X)
    With the best beta, another alpha near yours has a smaller MSE. Where does alpha stand in the derivative of the MSE?
f(0 * X + 0.1, Y)
    If a is constant many pairs of alpha and beta are equally good: which one does the docstring ask for? To a computer
    the mean of many .1 is not exactly .1. How else can you see that an image is constant?
""",
)


def _masked(seed, n, h, w, channels):
    """A pair for each of the n masks, which have different sizes."""
    mask = draw(seed + 1, n, h, w) < np.linspace(0.3, 0.8, n)[:, None, None]
    mask[:, 0, 0] = True
    return (*draw(seed, 2, n, h, w, channels), mask)


PAIRS = _masked(4, 3, 4, 5, 2)
A1, B1, M1 = PAIRS
AT_ONE_PIXEL = A1 + (np.indices((4, 5)).sum(0) == 0)[:, :, None]

MASKED_MSE = Exercise(
    masked_mse,
    "the mean squared difference within a mask",
    cases={
        "the example": (
            np.array([[1.0, 5.0], [1.0, 3.0]]).reshape(2, 1, 2, 1),
            np.zeros((2, 1, 2, 1)),
            np.array([[[True, False]], [[True, True]]]),
        ),
        "one pair of 2 x 3 pixels": _masked(2, 1, 2, 3, 1),
        "three channels": _masked(3, 1, 4, 5, 3),
        "three pairs with different masks": PAIRS,
        "one of the masks is empty": (*PAIRS[:2], M1 & np.array([True, False, True])[:, None, None]),
    },
    mistakes="""
np.maximum(counts.sum(axis=(1, 2, 3)), 1) => a[0].size
    You divide by the number of all pixels. Those outside the mask do not count.
counts.sum(axis=(1, 2, 3)) => mask.sum(axis=(1, 2))
    You divide by the number of pixels in the mask, but each of them adds C squared differences.
counts.sum(axis=(1, 2, 3)) => counts.sum()
counts.sum(axis=(1, 2, 3)) => counts.sum() / len(a)
counts.sum(axis=(1, 2, 3)) => counts.sum(axis=(1, 2, 3)).max()
    You divide by the size of all masks of the batch together, or of the average or largest one. Each pair has its own.
np.maximum(counts.sum(axis=(1, 2, 3)), 1) => counts.sum(axis=(1, 2, 3))
    An empty mask gives nan: 0 / 0. What does the docstring ask for there?
mask = ~mask
    Your mask is inside out: True means that a pixel counts.
""",
    telling="""
[f(np.where(M1[..., None], A1, 9.0), B1, M1), f(A1, np.where(M1[..., None], B1, 9.0), M1)] - f(*PAIRS)
    What lies outside the mask must not matter, but your result changes with it.
f(A1, A1 + 0.5, M1)
    If all intensities differ by .5 the result must be .25. Is there a root, a missing square, or something added?
f(A1[..., ::-1], B1[..., ::-1], M1) - f(*PAIRS)
    The order of the channels must not matter, but your result changes with it. Do all of them count?
f(A1, AT_ONE_PIXEL, M1)
    A difference of 1 at one pixel must give 1 / (pixels in the mask). Do you average averages, or square too late?
""",
    properties=[each_alone(*PAIRS)],
)

EXERCISES = [MASKED_MSE, NCC_OF_PAIRS, BEST_CONTRAST]
