"""Wrong answers to the exercises of all lessons: edits of the solution (joined by &&) :: what their hint must say."""

WRONG = """
rotation
    degrees = -degrees && np.radians(degrees) => degrees :: Which way must it look? Besides: The angle is in degrees
    degrees = -degrees && [looks_down - down, => [looks_down, :: Turned by 0 degrees
    - sine * down => + sine * down :: keeps every distance
    cosine * down + sine => down + sine :: keeps every distance
    axis=-1) => axis=-1).round() :: keeps every distance
warp_whole
    images = images[0] && displacement[..., 0] => displacement[0][..., 0] :: not enough values to unpack
    images = images[..., ::-1] :: come back unchanged
    r, c = rows + displacement[..., 0] => r, c = rows + displacement[:, :1, :, 0] :: displacement of its own
    (c < width) => (c < width - 1) :: also in the first and last row and column
    displacement = displacement[:1] + 0 * displacement :: only the first image gets
compose
    r = np.clip(rows + first[..., 0], 0, height - 1) => r = rows :: looked up at one place
    first, second = second, first && return first + second[r, c] => return second[r, c] :: Besides: You return `second`
    return first + second[r, c] => return np.clip(first, -1, 1) + second[r, c] :: In a row let
    return first + second[r, c] => return first + second[rows, c] :: looked up at one place
    return first + second[r, c] => return (first + second[r, c])[..., ::-1] :: two components exchanged
sample_line
    (1 - t) * black(j) => (np.ceil(c) - c) * black(j) :: What are `floor` and `ceil` of a whole number
    c = np.sort(c) :: in any number and order
    c = c - 1 && t = c - j => t = 1 - c + j :: your two weights are exchanged. Besides: Your result is that of a place
    t = c - j => t = (c - j) ** 2 :: must be 7.5 at c = 2.25
    t * black(j + 1) => (c >= 0) * t * black(j + 1) :: left end
sample
    image = np.arange(n)[:, None, None] => image = 0 :: only the first image gets
    images = images[..., :1] + 0 * images :: The channels have to stay apart
    (1 - s) * above => (1 - s) ** 2 * above :: What must the four weights add up to
    r, c = np.clip(r, 0, images.shape[1] - 2), np.clip(c, 0, images.shape[2] - 2) :: row and column are wrong
    return (1 - s) * above + s * below => return ((1 - s) * above + s * below)[..., 0] :: The result has shape
sample_2020
    - 1) / 2 => ) / 2 && x, y = y, x :: Besides: Both mistakes are mended, but now x and y are exchanged
    return up => return 0.9 * up :: Not mended yet: an image of ones
    np.clip(j0, 0, width - 1) => np.clip(j0, 0, width - 2) :: Where do you look for the pixels
    right * image[i1, j1] => right * image[i0, j1] :: one of the four weights must be wrong
    return up * above + down * below => return (up * above + down * below).ravel() :: The result has shape
ncc_of_pairs
    np.sqrt(saa) * np.sqrt(sbb)) => np.sqrt(saa * sbb) + 1e-8) :: faint images
    sab / norm) => abs(sab / norm)) :: a sign get lost
    (np.ptp(a, axis=axes) == 0) => (a.var(axis=axes) == 0) && (np.ptp(b, axis=axes) == 0) => False :: tiny / tiny
    a, b = a[..., :1], b[..., :1] :: does everything run over all three axes
    x - x.mean(axis=axes, keepdims=True) => x && np.sqrt(saa) * np.sqrt(sbb) => saa * sbb :: Besides:
best_contrast
    / saa if => / (saa + 1e-3) if :: alpha must be 1 and beta 0
    np.sum(a_centred * b_centred) / saa => np.ptp(b) / np.ptp(a) :: another alpha near yours has a smaller MSE
    b.mean() - alpha * a.mean() => b.min() - alpha * a.min() :: Which beta fits your alpha
    return alpha, => return np.array([alpha, b.mean() - alpha * a.mean()]); return alpha, :: as a tuple
    a, b = a[:1], b[:1] :: a mean other than 0
masked_mse
    return total => return total.sum() / counts.sum() + 0 * total :: than when it is alone
    (a - b) ** 2 => a**2 - b**2 :: a missing square
    (a - b) ** 2 => abs(a - b) :: must be .25
    a[~mask] = 0 :: changes its argument `a` in place
    mask = mask[:1] | np.zeros_like(mask) :: only the first image gets
slope_of_masked_loss
    g = 2 * => g = :: every number is 0.5 times
    math.floor => int && np.sum(mask) * moving.shape[2] => np.sum(mask) :: Besides: You need the whole number
    * mask[..., None] / count => / count :: Pixels of the fixed image outside the mask
    (y - fixed) => (moving - fixed) :: has the slope (.06, 0)
    slope_of_masked_loss(u, moving, fixed, mask) :: It calls itself too deep
descend_until_level
    path = [np.array(u, float)] => path = [u] && path.append => u -= step * here; path.append :: `u` in place
    here = slope(path[-1]) => here = slope(path[0]) :: Where do you take the slope
    - step * here => + step * here && return np.array(path) => return np.reshape(path[1:], (-1, 2)) :: You go uphill
    return np.array(path) => return np.array(path).T :: expected (k + 1, 2)
    return np.array(path) => return np.array(path), len(path) :: It returns 2 results
gauss_newton_step
    J.T @ J, => J.T @ J + 1e-5 * np.eye(2), :: added to the matrix
    fixed - y => (y - fixed) / 2 :: every number is -0.5 times
    J.T @ J, => J.T @ J + 0.1 * np.eye(2), :: added to the matrix
    J.T @ residual) => J.T @ residual)[::-1] :: components exchanged
    J.T @ J, => np.abs(J.T) @ np.abs(J), :: the step must be (.3, -.7)
linear
    return x @ weight, (lambda g: g @ weight.T, lambda g: x.T @ g) => return x @ weight :: Where a tuple of two
    lambda g: x.T @ g) => x.T @ x) :: no cotangent is known yet
    lambda g: x.T @ g => lambda g: np.outer(x.sum(axis=0), g.sum(axis=0)) :: Do you add up before you multiply
    weight.T => weight && x.T @ g => g @ x.T :: a matrix is the wrong way round
    lambda g: g @ weight.T => lambda g: None :: returns nothing (None)
sum_to_shape
    .sum( => .mean( && axis=stretched => axis=stretched[:1] :: Besides: You take the mean
    return np.asarray(share.sum(axis=stretched, keepdims=True)) => return share.astype(float) :: and nothing else
    keepdims=True)) => keepdims=True), dtype=float) :: comes back as float64
    keepdims=True)) => keepdims=True)).tolist() :: yours is a list
    return np.asarray => return 2 * np.asarray :: every number is 2 times
topological_order
    return order => return order[::-1] :: in the order in which the values were computed
    if uses[source] == 0: => if True: :: is more than once in your list
    return order => return tuple(order) :: must be a list
    return order => return order[1:] :: 'L' is missing
    return order => return sorted(order, key=str) :: stands before
directional_derivative
    (f(x + h * d) - f(x - h * d)) / (2 * h) => (f(x + h * d) - f(x)) / h && 1e-5 / => 1e-8 / :: to one side only
    / (np.abs(d).max() or 1) =>  :: very long, very short
    / (np.abs(d).max() or 1) =>  && d = d / np.linalg.norm(d) :: as long as 1 before you step
    1e-5 => 1e-2 :: Which error is that
    x, d = np.asarray(x, np.float64), np.asarray(d, np.float64) => x = x + 0 :: For an image in float32
filter_rows_adjoint
    weights = weights[::-1] && * g[: => * g_x[: :: Besides: You read from the array
    g[:, [0, -1]] = 0 :: changes its argument `g` in place
    return g_x => g_x[:, -1] = 0; return g_x :: a single 1
    weights[2] * g => 0 * g :: a single 1 into the middle
    return filter_rows(g[::-1], weights[::-1]) :: In a batch
is_right
    return f(x).sum() > 2 :: You never call
    abs(left.sum() - right.sum()) => (left.sum() - right.sum()) :: How generous is your tolerance
    1e-6 * terms => 1e-6 :: Relative to what do you compare
    not abs(left.sum() - right.sum()) <= 1e-6 => abs(left.sum() - right.sum()) > 1e-6 :: nan > 0.001
    g = rng.standard_normal(np.shape(J_d)) => g = np.ones(np.shape(J_d)) :: For one cotangent it is right
    d = rng.standard_normal(x.shape) => d = np.ones(x.shape) :: cancel along the direction
vjp_displacement
    along_rows, axis=-1) => along_columns, axis=-1) :: it is what belongs along columns
    axis=-1)], axis=-1) => axis=-1)], axis=-1) * [-1, 1] :: wrong sign along rows; along columns it is right
    np.floor => np.trunc && np.sum => np.mean :: You take the mean over the channels
    axis=-1)], axis=-1) => axis=-1)], axis=-1)[..., ::-1] && np.sum => np.mean :: two components exchanged
    image = image[-1:] + 0 * image :: that a loop left behind
vjp_image
    np.add.at(g_image, hit, share[inside]) => g_image[hit] += share[inside] :: one share is lost
    s, t = r - i, c - j => s = t = 0 * r + 0.5 :: Which four pixels does it read
    g, u = g[:1], u[:1] && return g_image => return np.pad(g_image, ((0, 2), (0, 0), (0, 0), (0, 0))) :: shape
    return g_image => return g_image.astype(int) :: behind the decimal point
    u = 0.5 * u :: Yours get other shares
one_sided_slopes
    c = float(round(c)) :: Between two pixels there is no kink
    0 <= j < len(line) => j < len(line) :: to Python the index -1 is no error
    value = lambda j: line[j] if 0 <= j < len(line) else 0.0 => value = lambda j: line[j] :: IndexError
    line = [0, *line] :: the curve climbs before it
    if not 0 <= c <= len(line) - 1: return 0.0, 0.0 :: the curve is not flat
vjp_ncc_b
    np.sqrt(saa * sbb) => np.sqrt(saa * sbb) + 1e-5 :: Right in every case but
    np.sqrt(saa * sbb) => np.sqrt(saa * sbb) + 1e-8 :: faint images
    (a / norm - sab / norm * b / sbb) => a / norm - sab / norm * b / sbb :: g belongs to both terms
    sab / norm * b => b :: the one with y
    axes = (1, 2, 3) => axes = (1, 2) :: over all pixels *and* channels
vjp_centre_inside
    np.sum(g) * mask / np.sum(mask) => np.sum(g) * mask / np.sum(mask * mask) :: by what is m divided
    g - np.sum(g) * mask / np.sum(mask) => (1 - mask) * g - np.sum(g) * mask / np.sum(mask) :: cancel on their way
    / np.sum(mask) => / (np.sum(mask) + 1e-8) :: a mask of tiny weights
    np.sum(g) => np.sum(mask * g) && / np.sum(mask) => / mask.size :: Besides: You divide by a number
    g -= mask * g.sum() / mask.sum() :: changes its argument `g` in place
gradient_of_rotation
    np.sum => np.mean :: have the right shares, but together
    - np.cos(angle) * down => + np.cos(angle) * down :: do not have the right shares
    return np.sum => return -np.sum :: wrong sign everywhere
    angle = np.radians(angle) && down - (g_u.shape[1] - 1) / 2 => down :: looks at itself whatever the angle
    angle = np.full_like(angle, angle[-1]) :: that a loop left behind
bending_gradient
    += push => = push && gradient[1:-1] -= 2 * push => gradient[1:-1] = -2 * push :: a share over one
    / len(second) => / len(second) * np.linspace(1, 2, len(second)) :: reversed, too
    push = 2 * => push = :: every number is 0.5 times
    return gradient => return gradient[1:-1] :: has shape
    + line[2:] => - line[2:] :: climbs steadily
    return gradient => return np.round(gradient) :: -3 times the line
fold_free
    return u + factor * step => return u + factor / 2 * step :: Yours is too short
    <= 0 => <= 0.3 :: Yours is too short
    step = np.clip(step, -0.8, 0.8) :: which parts have yours gone
    return u + factor * step => return (u + factor * step)[..., ::-1] :: two components exchanged
    np.min(corners) => np.min(corners[3:]) :: still folds
    w[..., 1] - v => w[..., 1] + v :: whole cross product
    return u + factor * step => return -u - factor * step :: wrong sign
folding_gradient
    [1.0, 0.0] => [0.0, 0.0] && [0.0, 1.0] => [0.0, 0.0] :: every determinant is 1
    -2 * => 2 * :: wrong sign
    0.1 - _cross => 0.2 - _cross :: height 0.05
    np.stack([w[..., 1], -w[..., 0]] => np.stack([w[..., 1], 0 * w[..., 0]] :: gradient check
    return g_u => return g_u[..., ::-1] :: two components exchanged
    return g_u => return g_u + 0.01 :: must be 0
convolve_in_steps
    - kh) // => - kh - 1) // && - kw) // => - kw - 1) // :: wrong number of windows
    weight = weight.reshape(weight.shape[-1], -1).T.reshape(weight.shape) :: exchanges no axes
    weight = np.roll(weight, 1, axis=1) :: Even that is wrong
    return y => return y[..., ::-1] :: two channels in, three out
    return y => return y + (stride > 1) :: Stride 2 must give every second row
    window, weight, 3) => window, weight, 3) * (window.shape[-1] < 2) + 0 :: must be the sum of those of each channel
    weight = weight[::-1, ::-1] && , 3) => , 3) / (kh * kw) :: Besides: You
back_from_steps
    np.ndindex(*g.shape[:2]) => np.ndindex(len(g) - 1, g.shape[1]) :: hand out its cotangent
    weight = weight[::-1] :: the kernel as it is
    return g_x => return g_x + 0.1 :: and 0 around it
    g = g * g :: three times the result
    weight = weight[:, :, ::-1] :: It fails the adjoint test
    += => = && weight @ g[i, j] => weight[..., :1] @ g[i, j, :1] :: only the last one counts
find_kernel
    solve(table.T @ table, table.T @ wanted) => pinv(table - table.mean(axis=0)) @ wanted :: a constant
    table.T @ table => table.T @ table + 1e-2 :: Yours is not
    y = np.clip(y, -1, 1) :: If y is twice as bright
    y = y - y.mean() :: Yours is not
    x.shape[-1], c_out) => c_out, x.shape[-1]) :: are axes exchanged
    x.shape[-1], c_out) => x.shape[-1], c_out).round(1) :: If y is twice as bright
    solve(table.T @ table, table.T @ wanted) => lstsq(table[1:], wanted[1:])[0] :: gradient of the squared error
receptive_field
    (kernel - 1) * jump => (kernel + 1) * jump :: see one pixel, however many there are
    (kernel - 1) * jump => 2 * (kernel // 2) * jump :: 8 with a kernel of 8
    sizes.append(size) => sizes.append(size + jump - 1) :: whatever its stride
    return np.array(sizes) => return np.array(sizes)[-1] :: An axis was lost
    return np.array(sizes) => return np.minimum(sizes, 20) :: 3, 7, 15, and then?
    size += (kernel - 1) * jump => size = max(size, 1 + (kernel - 1) * jump) :: 3, 7, 15, and then?
adam_step
    return np.stack([p, m, v]) => return np.stack([p, m]) :: shape
    m = b1 * m => m *= b1; m = m :: changes its argument `m` in place
    b1 * m + (1 - b1) * g => b1 * m + g :: not the new m
    g**2 => abs(g) :: not the new v
    [p, m, v] => [p, v, m] :: not the new m
    b1**t => b1 ** (t + 1) && b2**t => b2 ** (t + 1) :: The first step has t = 1
    p = p - rate * => p = p - np.sqrt(rate) * :: first step must be as long as the rate
    np.sqrt(fair_v) + eps => np.abs(g) + eps :: a later step is not
back_through_block
    return np.vstack([g_weight, g_bias]) => return g_weight :: shape
    return np.vstack([g_weight, g_bias]) => return np.vstack([g_bias, g_weight]) :: Even that is wrong
    g = np.where(before_bend > 0 => g = np.where(before_bend < 0 :: With slope 0
    slope * g) => 0.1 * g) :: With slope 0
    g_weight = x => g_weight = abs(x) :: Even that is wrong
    g_bias = g.sum => g_bias = np.where(before_bend > 0, g, g / slope if slope else g).sum :: before the bend
    .sum(axis=(1, 3)) => .mean(axis=(1, 3)) && before_bend > 0 => g > 0 :: Besides
dice_of_pairs
    return np.where => return 1 - np.where :: An image and itself
    2 * both / np.maximum(total, 1)) => 2 * both / np.maximum(total[0], 1)) :: An image and itself
    np.asarray(b) > threshold => np.asarray(b) > 0 :: An image and itself
    axis=(1, 2, 3) => axis=(1, 2) :: shape
    in_a & in_b => in_a | in_b && 2 * both => both :: Besides
    np.asarray(b) > threshold => (np.asarray(b) > threshold).any(axis=-1, keepdims=True) :: also of several channels
    total = np.sum(in_a, axis=(1, 2, 3)) + => total = 2 * :: Dice is .75
pixels_of_2020
    np.stack([down => np.stack([-down :: wrong sign along rows
    np.linspace(-1, 1, height) => np.linspace(0, 1, height) :: It must end at the last pixel
    axis=-1) => axis=-1)[..., ::-1] :: exchanged
    np.linspace(-1, 1, width) => np.linspace(1, -1, width) :: in the first column
    (height - 1) / 2, right * (width - 1) => (width - 1) / 2, right * (width - 1) :: one unit long
    -1, 1) - own_row => -1, 1) + 1 && -1, 1) - own_column => -1, 1) + 1 :: What you return is a place
    own_row + offset[..., 1], -1, 1) => own_row + offset[..., 1], 0, 1) :: moves nothing
never_read
    for i in np.floor(r), np.ceil(r): => for i in [np.floor(r)]: :: one pixel only
    np.floor(r), np.ceil(r) => [np.round(r)] && np.floor(c), np.ceil(c) => [np.round(c)] :: one pixel only
    (i >= 0) & => ((i - np.floor(r) == 0) == (j - np.floor(c) == 0)) & (i >= 0) & :: at one place between four
    read = np.zeros => read = np.ones :: no pixel is ever read
    read.mean(axis=(1, 2)) => read.mean() + np.zeros(images) :: Alone, an image
    rows + u => u :: every pixel reads itself
    read.mean(axis=(1, 2)) => read.mean(axis=2) :: shape
partners
    np.unique(labels) => range(10) :: may have any number
    return partner => return partner[:-1] :: Some are missing
    return partner => return partner + 1 :: nobody's partner
    np.roll(row, -1) => np.sort(np.roll(row, -1)) :: three images of one class
    labels = labels % 3 :: of another class
    np.roll(row, -1) => np.roll(row, 2) && labels[order] == digit => labels == digit :: of another class
there_and_back
    s, t = => t, s = :: Compute the example by hand
    return np.mean( => return -np.mean( :: wrong sign everywhere
    return np.mean( => return np.max( :: mean length of u
    v = 2 * v :: shift lead home
    u = u[::-1] :: What is special there
    np.linalg.norm(from_home, axis=-1)) => np.abs(from_home)) :: the distance is 5
best_run
    not allowed.any() => not allowed.all() :: number 1 of all
    folds, np.inf)) => folds, np.inf)[allowed]) :: number 1 of all
    folds, np.inf)) => folds, np.inf) - 1e-9 * np.arange(len(ncc))) :: first one is taken
    return np.argmin(np.where( => return 1 + np.argmin(np.where( :: Go through the rule by hand
    folds <= limit => folds >= limit :: Go through the rule by hand
    np.argmax(match) => np.argmin(match) :: no seed changes anything
    np.maximum(spread, spread[best]) => 2 * np.maximum(spread, spread[best]) :: What is special there
    limit = 1e9 :: Besides: You compare with one that is not allowed
flow_line
    v[i + 1]) / steps => v[i + 1]) / steps * (steps > 1) :: Even one step is wrong
    v = v - v.mean() :: 2 further to the right
    + t * v[i + 1]) => + t * v[i + 1]) * (place > 0) :: Beyond the ends
    v = np.pad(v, 1)[1:-1] + 0.01 * x.max() :: Without any wind
    np.clip(place, 0, len(v) - 1) => np.clip(place, 0, len(v) - 1.5) :: Beyond the ends, the velocity is the one
    i, t = _cell(v, place) => i, t = _cell(v, place + v[0] / 2 * (steps > 1)) :: done twice
inverse
    u = u - u[0, 0] :: the way back is the opposite
    return w => return -w :: wrong sign everywhere
    rows + w[..., 0] => rows + w[..., 0] + 0.3 :: After one iteration
    below, right = np.minimum(i + 1, height - 1) => below, right = np.minimum(i, height - 1) :: must be 0
    return w => return w[..., ::-1] :: two components exchanged
    rows + w[..., 0] => rows + w[..., 1] && columns + w[..., 1] => columns + w[..., 0] :: which number belongs
    columns + w[..., 1] => abs(columns + w[..., 1]) :: u of the example be 1 larger
vjp_flow_line
    return g_v => return -g_v :: wrong sign everywhere
    t * g_place => g_place :: Even one step of one place
    (1 + slope / steps) => (1 + slope * g_place / steps) :: Three times the cotangent
    g = np.sort(g) :: One place is right, many are not
    slope / steps => 0.5 * slope / steps :: difference quotient
    (1 - t) * g_place => (1 - t) * (place >= 0) * g_place :: reads the last pixel alone
    place < len(v) - 1 => place <= len(v) - 1 :: exactly on pixels
compose_affine
    axis=-1) => axis=-1)[:1] :: Some are missing
    axis=-1) => axis=-1)[..., ::-1] :: `second` alone must be left
    np.concatenate([linear, shift], axis=-1) => linear :: shape
    linear = second[..., :2] @ => linear = second[0, :, :2] @ :: only the first image gets
    second[..., 2:] => 2 * second[..., 2:] :: `second` alone must be left
    second[..., :2] @ first[..., 2:] => -second[..., :2] @ first[..., 2:] :: `first` alone must be left
rigid_from_points
    np.array([a, *t]) => np.array([*t, a]) :: that is t, and the angle is 0
    t = q.mean(axis=0) - turn => t = np.median(q, axis=0) - turn :: Where nothing has moved
    np.arctan2(cross, dot) => np.arctan2(cross, np.sum(x * x)) :: Where all distances grow alike
    dot = np.sum(x * y) => dot = np.sum(x[:1] * y[:1]) :: the best angle is another one
    x, y = p - p.mean(axis=0), q - q.mean(axis=0) => x, y = p - p[0], q - q[0] :: the best angle is another one
    np.arctan2(cross, dot) => abs(np.arctan2(cross, dot)) :: Right in every case but: a small turn
    np.array([a, *t]) => np.array([a, *(t @ turn)]) :: Your way leads back
gauss_newton_affine
    .reshape(2, 3) => .reshape(2, 3)[:, ::-1] :: B is 0 and s is (1, 1)
    changes.T @ missing) => 2 * changes.T @ missing) :: every number is 2 times
    .reshape(2, 3) => .reshape(2, 3).round(1) :: half the step is enough
    changes.T @ changes, => changes.T @ changes + np.eye(6), :: B is 0 and s is (1, 1)
    missing = (fixed - y).ravel() => missing = fixed.ravel() :: the fixed image already
    .reshape(2, 3) => .ravel() :: shape
questions_left
    log2(p)) => log2(p)) / np.log2(1 + len(p)) :: equally many of each
    p = counts / np.sum(counts) => p = counts / 10 :: which add up to 1. Besides
    np.sum(p, axis=1) => np.max(p, axis=1) :: So two bits are open
    p[p > 0] => p[p > 0.1] :: the same questions as one of them
    p = counts / np.sum(counts) => p = (counts + 1) / np.sum(counts + 1) :: nothing is open
    return _entropy(p) - _entropy(np.sum(p, axis=1)) => return _entropy(np.sum(p, axis=1)) - _entropy(p) :: wrong sign
vjp_hat
    (bins - 1) * climb => (bins - 1) ** 2 * climb :: by how much
    g[pixel, lower + 1] - g[pixel, lower] => g[pixel, lower] - g[pixel, lower + 1] :: wrong sign
    g[pixel, lower + 1] - g[pixel, lower] => g[pixel, lower + 1] :: all bins ask the same
    g = np.round(g) :: Even for one intensity
    x = np.abs(x) :: below 0 or above 1
    g = np.clip(g, -1, 1) :: Even for one intensity
unexplained_gradient
    ** 2 / len(a) => ** 2 / bins :: twice
    share.T @ b => share.T @ b**2 :: brighter by 2
    - m) ** 2 => - m) ** 3 :: nine times
    return vjp_hat(g, a, bins) => return -vjp_hat(g, a, bins) :: wrong sign
    (b[:, None] - m) ** 2 => b[:, None] ** 2 - m**2 :: brighter by 2
    share[pixel, lower] = 1 - f => share[pixel, lower] = 1 :: gradient check
confusion
    np.argmax(z, axis=1) => np.argmax(np.abs(z), axis=1) :: Scores may all be negative
    classes = z.shape[1] => classes = labels.max() + 1 :: shape
    (labels, said) => (said, labels) && np.argmax => np.argmin :: Besides
    table = np.zeros => table = np.ones :: Where all is right
    np.argmax(z, axis=1) => np.sort(np.argmax(z, axis=1)) :: The order of the images
    return table / => return 100 * table / :: 100 times
half_square_gradient
    return g[:, None] => return -g[:, None] :: wrong sign
    g = np.abs(g) :: Twice the cotangent
    np.sum(e, axis=1, keepdims=True) => np.sum(e) :: must add up to 0
    np.sum(p * off, axis=1, keepdims=True) => np.mean(p * off, axis=1, keepdims=True) :: must add up to 0
    np.eye(z.shape[1])[np.asarray(labels)] => 1 :: Take two equal scores
    g[:, None] * p => p && z - np.max(z, axis=1, keepdims=True) => z :: Besides
    return g[:, None] => return (g[:, None] && (off - together) => (off - together)).sum(axis=1) :: An axis was lost
vjp_max_pool
    wins = windows == => wins = windows != :: Take one window
    axis=(2, 4), keepdims=True) => axis=(2, 4, 5), keepdims=True) :: in every image and every channel
    x = np.round(x) :: brighter by 3
    x = x[:1] + 0 * x :: only the first image gets
    np.zeros(x.shape) => np.zeros(inside.shape) :: shape
    g[:, :, None, :, None] => 2 * g[:, :, None, :, None] :: 2 times
share_by_luck
    return np.mean( => return 1 - np.mean( :: With one pair there are two ways
    (1, -1) => (1, 1) :: If all six differences are 1
    differences = differences - differences.mean() :: If all six differences are 1
    sums >= np.abs => sums <= np.abs :: If all six differences are 1
    sums >= => sums > 0.1 + 0 * :: If both methods are the same
    repeat=len(differences) => repeat=len(differences) - 1 :: ValueError
first_places
    scores = -scores :: last places
    return (first / first.sum(axis=0)) => return 2 * (first / first.sum(axis=0)) :: 2 times
    axis=0)).mean(axis=1) => axis=0)).mean(axis=0) :: shape
    scores = np.sort(scores, axis=0) :: ahead on each pair
    draws = np.sort(draws, axis=1)[:, ::2] :: right in some cases
    draws = np.asarray(draws) % 2 :: A pair that is drawn twice
interval_of_groups
    np.percentile(means, [2.5, 97.5]) => np.percentile(means, [97.5, 2.5]) :: two components exchanged
    np.percentile(means, [2.5, 97.5]) => np.percentile(means, 97.5) :: shape
    return np.percentile( => return means.mean() - np.percentile( :: If all values are 2.5
    draws = draws[: len(draws) // 2 + 1] :: it is the bootstrap of the lesson
    values = np.abs(values) :: it is the bootstrap of the lesson
    sizes[draws].sum(axis=1) => (sizes[draws].sum(axis=1) + 1) :: both ends are 2.5
gradient_of_all
    gradients = -gradients :: wrong sign
    gradients = np.abs(gradients) :: With a single process
    at_work = counts > 0 => at_work = counts == np.max(counts) :: so does the batch
    share = counts / np.sum(counts) => share = np.ones(len(counts)) / len(counts) && return => return - :: Besides
    axis=0) => axis=0)[:1] :: Some are missing
merged
    return mean, variance => return mean :: results, as a tuple
    counts = np.sort(counts) :: weighted by the counts
    means = means - means[0] :: The mean is the one of all values
    (means - mean) ** 2 => (means - mean) ** 4 :: With one value for each process
    np.asarray(variances, float) => np.asarray(variances, float) ** 2 :: With a single process
ring
    held[receiver, part] += sent => held[receiver, part] -= sent :: Do the first step by hand
    if step < size - 1 => if step < size // 2 :: Let all numbers be 1
    range(steps) => range(steps)[::-1] :: Let all numbers be 1
    receiver = (rank + 1) % size => receiver = rank :: Do the first step by hand
    steps = min(steps, 1) :: Let all numbers be 1
window_of_body
    return np.where(body, window, 0) => return np.where(body, 1 - window, 0) :: turned over
    return np.where(body, window, 0) => return np.where(body, window, 1) :: Corners must be 0
    return np.where(body, window, 0) => return window[body] :: shape
    [low, high] => [low, high - 5] :: goes from 0 to 400
    return np.where(body, window, 0) => return 255 * np.where(body, window, 0) :: 255 times
depths
    return (1 - x - y) / np.sqrt(2) => return -(1 - x - y) / np.sqrt(2) :: wrong sign
    return (1 - x - y) / np.sqrt(2) => return np.argmax(1 - x - y) :: shape
    (1 - x - y) => (1 - x - y) ** 2 :: bulges
    (1 - x - y) / np.sqrt(2) => np.sqrt(x**2 + y**2) :: Both ends lie on the line
    (1 - x - y) / np.sqrt(2) => 1 - np.sqrt(x**2 + y**2) :: as deep as can be
from_home
    np.mean => np.sum :: That is
    home = (u + _read(w, r, c)) * spacing => home = (r[..., None] + _read(w, r, c)) * spacing :: Nothing moves
    return np.mean(np.linalg.norm(home, axis=-1)[inside]) => return np.linalg.norm(home, axis=-1) * inside :: shape
    (1 - s) * upper + s * lower => upper :: right in some cases
    home = (u => inside &= r < 3; home = (u :: right in some cases
"""
