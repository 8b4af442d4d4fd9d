"""Exercises of lesson 11, the encoder-decoder. Check your answers with `python -m lessons.check 11`."""

import numpy as np  # noqa: F401 (you will need it)


def receptive_field(kernels, strides):
    """How wide the square of pixels is that one number sees, after each layer of a stack of convolutions.

    The first layer looks at the image, the next one at what the first has made, and so on. It helps to know two numbers
    all the time: how wide the square is, and how many pixels of the image lie between neighbouring outputs.

    Parameters
    ----------
    kernels : list of ints, rows and columns of the kernel of each layer, from the image on
    strides : list of ints, of the same length: by how many pixels each layer moves its kernel on

    Returns
    -------
    array of ints, one for each layer

    Example: the three layers of the lesson,

        receptive_field([3, 3, 3], [1, 1, 1])           # array([3, 5, 7])
        receptive_field([3, 3, 3], [2, 2, 2])           # array([ 3,  7, 15])
    """
    raise NotImplementedError


def adam_step(p, g, m, v, t, rate, b1, b2, eps):
    """One step of Adam, as a function: it makes new arrays, and leaves those that it gets as they were.

    Try to write it without looking it up.

    Parameters
    ----------
    p : array, the weights before the step
    g : array of the same shape, their gradient
    m, v : arrays of the same shape, the running means of g and of g * g before the step (0 before the first one)
    t : int, the number of this step; the first one is 1
    rate : float
    b1, b2 : floats, which part of m and v is kept; in the lesson .9 and .999
    eps : float, added to the root in the divisor; in the lesson 1e-8

    Returns
    -------
    array (3, *shape of p): the new p, m and v, one below the other, so that `p, m, v = adam_step(...)` takes them apart

    Example: the first step is as long as the rate, whatever the gradient is,

        p, zero = np.array([5.0, 5.0]), np.zeros(2)
        g = np.array([100.0, -1.0])
        adam_step(p, g, zero, zero, 1, 0.1, 0.9, 0.999, 1e-8)[0]    # array([4.9, 5.1])
    """
    raise NotImplementedError


def back_through_block(g, x, weight, bias, slope):
    """The gradient of the weights and biases of one block of a decoder.

    The block asks its questions at every pixel, bends the answers, and doubles the image:

        y = double(leaky(x @ weight + bias))

    So its kernels have 1 x 1 pixels, and its convolution is a product of matrices, pixel by pixel. `leaky` leaves what
    is above 0, and multiplies the rest by `slope` (at 0 either slope is right). `double` repeats each pixel 2 x 2
    times, as in the lesson. Go back through the three steps, from the last one to the first.

    Parameters
    ----------
    g : (2 H, 2 W, C_out) array, the cotangent of y
    x : (H, W, C_in) array
    weight : (C_in, C_out) array
    bias : (C_out,) array
    slope : float, that of the leaky ReLU below 0

    Returns
    -------
    (C_in + 1, C_out) array: the gradient of the weights, and in the last row that of the biases

    Example: two pixels of one channel. The answers are 2 and -4; of the second, only a tenth goes through.

        x = np.array([1.0, -2.0]).reshape(1, 2, 1)
        g = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]).reshape(2, 4, 1)
        weight, bias = np.array([[2.0]]), np.array([0.0])
        back_through_block(g, x, weight, bias, 0.1)     # array([[ 9.6], [16.2]])
    """
    raise NotImplementedError
