"""A gradient is wrong: which element is worst, what should be there, and what kind of mistake fits.

Element by element from differences, which would take too long where nothing is wrong.
"""

import numpy as np

from minireg.gradcheck.diagnosis import diagnose, turned_arrays

EXPLAINED = 200  # elements of a wrong gradient that are computed one by one
ALIKE = 1e-3  # of the larger one: slopes on two sides that differ by more meet at a kink


def explain(check, wanted, cotangent, layout):
    """Find the element that is worst and what kind of mistake fits, and raise WrongGradient."""
    (analytic,) = check.gradients(wanted, [cotangent], layout)
    numeric = {i: _numeric_gradient(check, i, cotangent) for i in wanted}
    errors = {  # NaN in `numeric` was not looked at
        i: np.where(np.isnan(numeric[i]), 0.0, np.nan_to_num(np.abs(analytic[i] - numeric[i]), nan=np.inf))
        for i in wanted
    }
    worst = max(wanted, key=lambda i: errors[i].max(initial=0) / (np.nanmax(np.abs(numeric[i]), initial=0) or 1))
    place = np.unravel_index(errors[worst].argmax(), errors[worst].shape)
    said, found = analytic[worst][place], numeric[worst][place]
    vjp = lambda c, decoy=True: check.gradients((worst,), [c], decoy=decoy)[0][worst]
    rivals = [i for i in check.floating if i != worst and check.arrays[i].shape == check.arrays[worst].shape]
    others = {check.names[i]: _numeric_gradient(check, i, cotangent) for i in rivals}
    turned = _with_turned_arguments(check, worst, cotangent)
    fit = diagnose(
        analytic[worst], numeric[worst], cotangent, vjp, lambda c: _numeric_gradient(check, worst, c), others, turned
    )
    left, right, blur = _slopes(check, worst, place, cotangent)
    if abs(left - right) > blur and min(left, right) - blur < said < max(left, right) + blur:
        sides = f"{left + 0.0:.6g} and {right + 0.0:.6g}"  # + 0.0 makes 0 of -0
        fit = f"a kink: on its two sides the slope is {sides}. Move the inputs away from it."
    element = tuple(map(int, place))
    check.fail(
        (worst,),
        f"Worst at element {element}: the VJP says {said:.9g}, the central difference {found:.9g}.\nWhat fits: {fit}",
        layout=layout,
    )


def _with_turned_arguments(check, position, cotangent):
    """The VJP where an argument is flipped or transposed, and in words which and how."""
    for i in check.floating:
        array = check.arrays[i]
        for turned, how in turned_arrays(array):
            check.arrays[i] = np.ascontiguousarray(turned)
            try:
                gradient = check.gradients((position,), [cotangent])[0][position]
            except AssertionError:  # WrongGradient, of which this room knows nothing: the cotangent does not fit then
                continue
            finally:
                check.arrays[i] = array
            yield gradient, f"'{check.names[i]}' {how}"


def _slopes(check, position, place, cotangent):
    """The derivatives on both sides of x with respect to one element, and how exact they are."""
    step = check.steps[-1]
    one = np.zeros_like(check.arrays[position])
    one[place] = 1
    left, right = (float((cotangent * (check.moved({position: one}, h) - check.y)).sum() / h) for h in (-step, step))
    rounding = check.rounding(step, float(np.abs(cotangent * check.y_scale).sum()))
    return left, right, ALIKE * max(abs(left), abs(right)) + rounding


def _numeric_gradient(check, position, cotangent):
    """J^T c, element by element, from differences; of a large array only some elements, the others NaN."""
    x = check.arrays[position]
    result = np.full(x.size, np.nan)
    some = range(x.size) if x.size <= EXPLAINED else np.random.default_rng(0).permutation(x.size)[:EXPLAINED]
    for element in some:
        one = np.zeros(x.size)
        one[element] = 1
        result[element] = (cotangent * check.derivative({position: one.reshape(x.shape)})[0]).sum()
    return result.reshape(x.shape)
