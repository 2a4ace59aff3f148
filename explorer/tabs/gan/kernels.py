"""The fast engine's compiled part: hand-written gradients of the small nets, many rounds in one call, without the GIL.

Everything is float32 with one unit a row and the batch along it, so that every inner loop runs over the batch in vector
registers. Only fast.py imports this file: importing it loads numba, and the first call compiles or loads from numba's cache.

Penalties on D's slope g = dl/dx need gradients of a gradient. With v = dP/dg held still, dP/dw is the gradient of
sum v·g, which is the derivative of l along v: one pass forward with the tangent v, then one back through it (Pearlmutter
1994). The way back of the tangents is the way back that made g, so for piecewise linear activations nothing is left to do
but the products of the two.
"""

import numpy as np
from numba import njit

# Not "nnan" and "ninf": a run that diverged shall have NaN, not anything.
MATH = {"reassoc", "contract", "arcp", "nsz"}
compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath=MATH)

NON_SATURATING, MINIMAX, LEAST_SQUARES, WGAN, WGAN_GP, HINGE = range(6)  # the order of config.LOSSES
RELU, LEAKY_RELU, TANH, SILU = range(4)  # of config.ACTIVATIONS
SGD, MOMENTUM, ADAM, RMSPROP = range(4)  # of config.OPTIMIZERS
BLOCK = 64
LANES = 32  # columns that one turn of a vectorised loop takes: rows are padded to whole turns, for a rest goes one by one
TINY = np.float32(1e-12)
ONE, ZERO, HALF, TWO = np.float32(1), np.float32(0), np.float32(0.5), np.float32(2)
LEAK = np.float32(0.2)
# As arguments: numba compiles a version of its own for every literal number or truth.
NIL, UNIT, YES, NO = np.int64(0), np.int64(1), np.bool_(True), np.bool_(False)

# ---- e^x and tanh, made of steps that vectorise; both within 3e-7, relative and absolute ------------------------------------

LOG2E, LN2_HIGH, LN2_LOW = np.float32(1.44269504), np.float32(0.693359375), np.float32(-2.12194440e-4)
E2, E3, E4, E5, E6, E7 = [np.float32(c) for c in (0.5, 0.16666665459, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3,
                                                  1.9875691500e-4)]  # fmt: skip  (Cephes, expf)
EXP_LOW, EXP_HIGH = np.float32(-87), np.float32(88)


@compiled
def exp(x):
    x = EXP_HIGH if x > EXP_HIGH else x
    x = EXP_LOW if x < EXP_LOW else x
    n = np.int32(x * LOG2E + (HALF if x > ZERO else -HALF))
    f = np.float32(n)
    r = x - f * LN2_HIGH - f * LN2_LOW
    p = ((((E7 * r + E6) * r + E5) * r + E4) * r + E3) * r + E2
    return (p * r * r + r + ONE) * np.int32((n + np.int32(127)) << np.int32(23)).view(np.float32)


A1, A3, A5, A7, A9, A11, A13 = [np.float32(c) for c in (4.89352455891786e-03, 6.37261928875436e-04, 1.48572235717979e-05,
    5.12229709037114e-08, -8.60467152213735e-11, 2.00018790482477e-13, -2.76076847742355e-16)]  # fmt: skip  (Eigen, ptanh)
B0, B2, B4, B6 = [np.float32(c) for c in (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04,
                                          1.19825839466702e-06)]  # fmt: skip
TANH_HIGH = np.float32(7.905311)


@compiled
def tanh(x):
    x = TANH_HIGH if x > TANH_HIGH else x
    x = -TANH_HIGH if x < -TANH_HIGH else x
    y = x * x
    p = (((((A13 * y + A11) * y + A9) * y + A7) * y + A5) * y + A3) * y + A1
    return x * p / (((B6 * y + B4) * y + B2) * y + B0)


# ---- Rows. Always as x[row, k]: a row taken out as an array of its own would cost the counting of a reference. --------------


@compiled
def combine(out, to, bias, w, at, step, n, x, row, cols):
    """Row `to` of out = bias + the sum of w[at + i step] x[row + i] over i < n. The inner product of all passes."""
    if n >= 8:
        w0, w1, w2, w3 = w[at], w[at + step], w[at + 2 * step], w[at + 3 * step]
        w4, w5, w6, w7 = w[at + 4 * step], w[at + 5 * step], w[at + 6 * step], w[at + 7 * step]
        for k in range(cols):
            out[to, k] = (bias + w0 * x[row, k] + w1 * x[row + 1, k] + w2 * x[row + 2, k] + w3 * x[row + 3, k]
                          + w4 * x[row + 4, k] + w5 * x[row + 5, k] + w6 * x[row + 6, k] + w7 * x[row + 7, k])  # fmt: skip
        i = 8
    elif n >= 4:
        w0, w1, w2, w3 = w[at], w[at + step], w[at + 2 * step], w[at + 3 * step]
        for k in range(cols):
            out[to, k] = bias + w0 * x[row, k] + w1 * x[row + 1, k] + w2 * x[row + 2, k] + w3 * x[row + 3, k]
        i = 4
    elif n >= 2:
        w0, w1 = w[at], w[at + step]
        for k in range(cols):
            out[to, k] = bias + w0 * x[row, k] + w1 * x[row + 1, k]
        i = 2
    else:
        w0 = w[at]
        for k in range(cols):
            out[to, k] = bias + w0 * x[row, k]
        i = 1
    while i + 4 <= n:
        w0, w1, w2, w3 = w[at + i * step], w[at + (i + 1) * step], w[at + (i + 2) * step], w[at + (i + 3) * step]
        r = row + i
        for k in range(cols):
            out[to, k] += w0 * x[r, k] + w1 * x[r + 1, k] + w2 * x[r + 2, k] + w3 * x[r + 3, k]
        i += 4
    while i < n:
        w0, r = w[at + i * step], row + i
        for k in range(cols):
            out[to, k] += w0 * x[r, k]
        i += 1


@compiled
def products(gradient, at, n, delta, of, x, row, cols):
    """gradient[at + i] += delta[of] · x[row + i], over i < n: one unit's gradients of its weights."""
    i = 0
    while i + 4 <= n:
        r = row + i
        s0 = s1 = s2 = s3 = ZERO
        for k in range(cols):
            d = delta[of, k]
            s0 += d * x[r, k]
            s1 += d * x[r + 1, k]
            s2 += d * x[r + 2, k]
            s3 += d * x[r + 3, k]
        gradient[at + i] += s0
        gradient[at + i + 1] += s1
        gradient[at + i + 2] += s2
        gradient[at + i + 3] += s3
        i += 4
    while i + 2 <= n:
        r = row + i
        s0 = s1 = ZERO
        for k in range(cols):
            d = delta[of, k]
            s0 += d * x[r, k]
            s1 += d * x[r + 1, k]
        gradient[at + i] += s0
        gradient[at + i + 1] += s1
        i += 2
    if i < n:
        s0 = ZERO
        for k in range(cols):
            s0 += delta[of, k] * x[row + i, k]
        gradient[at + i] += s0


@compiled
def total(x, row, cols):
    s = ZERO
    for k in range(cols):
        s += x[row, k]
    return s


@compiled
def activate(act, h, slope, curve, r, order, cols):
    """The sums in a row of h become activations, in place; slopes (order >= 1) and second derivatives (2) are kept beside."""
    if act == RELU:
        if order:
            for k in range(cols):
                a = h[r, k]
                h[r, k] = ZERO if a < ZERO else a
                slope[r, k] = ONE if a > ZERO else ZERO
        else:
            for k in range(cols):
                a = h[r, k]
                h[r, k] = ZERO if a < ZERO else a
    elif act == LEAKY_RELU:
        for k in range(cols):
            a = h[r, k]
            s = ONE if a > ZERO else LEAK
            h[r, k] = a * s
            slope[r, k] = s
    elif act == TANH:
        for k in range(cols):
            t = tanh(h[r, k])
            h[r, k] = t
            slope[r, k] = ONE - t * t
        if order == 2:
            for k in range(cols):
                curve[r, k] = -TWO * h[r, k] * slope[r, k]
    else:
        if order == 2:
            for k in range(cols):
                a = h[r, k]
                s = ONE / (ONE + exp(-a))
                curve[r, k] = s * (ONE - s) * (TWO + a * (ONE - TWO * s))
        for k in range(cols):
            a = h[r, k]
            s = ONE / (ONE + exp(-a))
            h[r, k] = a * s
            slope[r, k] = s * (ONE + a * (ONE - s))


@compiled
def multiply(out, row, factor, cols):
    """Row of out *= the same row of factor."""
    for k in range(cols):
        out[row, k] *= factor[row, k]


# ---- Nets. `sizes` are units per layer, the input first; layer l has its rows after those of the layers before. -------------


@compiled
def forward(w, sizes, act, h, slope, curve, order, cols):
    """From the input in h's first rows to everything after it. Returns the first row of the output layer."""
    at, row = NIL, NIL
    for l in range(1, len(sizes)):
        n, m = sizes[l - 1], sizes[l]
        bias = at + n * m
        for o in range(m):
            r = row + n + o
            combine(h, r, w[bias + o], w, at + o * n, UNIT, n, h, row, cols)
            if l < len(sizes) - 1:
                activate(act, h, slope, curve, r, order, cols)
        at, row = bias + m, row + n
    return row


@compiled
def backward(w, sizes, h, slope, delta, gradient, weights, inputs, cols):
    """From dL/d(sum) in delta's last rows to those of all layers; adds to the weights' gradient, and, if asked for, says
    dL/d(input) in delta's first rows."""
    last = len(sizes) - 1
    at, row = NIL, NIL
    for l in range(last):
        at += (sizes[l] + 1) * sizes[l + 1]
        row += sizes[l]
    for l in range(last, 0, -1):
        n, m = sizes[l - 1], sizes[l]
        at -= (n + 1) * m
        below = row - n
        if weights:
            for o in range(m):
                products(gradient, at + o * n, n, delta, row + o, h, below, cols)
                gradient[at + n * m + o] += total(delta, row + o, cols)
        if l > 1 or inputs:
            for i in range(n):
                combine(delta, below + i, ZERO, w, at + i, n, m, delta, row, cols)
                if l > 1:
                    multiply(delta, below + i, slope, cols)
        row = below


@compiled
def penalty(w, sizes, smooth, weight, length, h, slope, curve, back, open_, tangent, delta, gradient, b, cols):
    """Adds the gradient of weight · sum (|g| - 1)² (length) or of weight / 2 · sum |g|² (not) to `gradient`, and returns
    the penalty, which is the mean over the first b columns. h, slope and curve are those of a pass forward there."""
    last = len(sizes) - 1
    at, row = NIL, NIL
    for l in range(last):
        at += (sizes[l] + 1) * sizes[l + 1]
        row += sizes[l]
    end, end_row = at, row

    # g: the way back from l itself. `back` is dl/d(sum) of every unit, `open_` the same before the unit's slope.
    for k in range(cols):
        back[row, k] = ONE if k < b else ZERO
    for l in range(last, 0, -1):
        n, m = sizes[l - 1], sizes[l]
        at -= (n + 1) * m
        below = row - n
        for i in range(n):
            r = below + i
            combine(back, r, ZERO, w, at + i, n, m, back, row, cols)
            if l > 1:
                if smooth:
                    for k in range(cols):
                        open_[r, k] = back[r, k]
                multiply(back, r, slope, cols)
        row = below

    # The penalty, and v = dP/dg as the tangent of the input.
    value = 0.0
    for k in range(b, cols):
        tangent[0, k] = tangent[1, k] = ZERO
    if length:
        for k in range(b):
            gx, gy = back[0, k], back[1, k]
            long = np.sqrt(gx * gx + gy * gy + TINY)
            off = long - ONE
            value += off * off
            scale = TWO * weight * off / long
            tangent[0, k], tangent[1, k] = scale * gx, scale * gy
        value *= weight / b
    else:
        for k in range(b):
            gx, gy = back[0, k], back[1, k]
            value += gx * gx + gy * gy
            tangent[0, k], tangent[1, k] = weight * gx, weight * gy
        value *= weight / 2 / b

    # Forward along v. For a smooth unit, `open_` becomes what its sum's own gradient gets from its bend.
    at, row = NIL, NIL
    for l in range(1, last + 1):
        n, m = sizes[l - 1], sizes[l]
        for o in range(m):
            r = row + n + o
            products(gradient, at + o * n, n, back, r, tangent, row, cols)
            if l < last:
                combine(tangent, r, ZERO, w, at + o * n, UNIT, n, tangent, row, cols)
                if smooth:
                    for k in range(cols):
                        open_[r, k] *= curve[r, k] * tangent[r, k]
                multiply(tangent, r, slope, cols)
        at, row = at + (n + 1) * m, row + n

    # And back through the activations, where they bend.
    if smooth and last > 1:
        at, row = end, end_row
        for l in range(last - 1, 0, -1):
            n, m = sizes[l], sizes[l + 1]
            at -= (n + 1) * m
            above, row = row, row - n
            for i in range(n):
                r = row + i
                if l == last - 1:
                    for k in range(cols):
                        delta[r, k] = open_[r, k]
                else:
                    combine(delta, r, ZERO, w, at + i, n, m, delta, above, cols)
                    for k in range(cols):
                        delta[r, k] = delta[r, k] * slope[r, k] + open_[r, k]
            low = sizes[l - 1]
            into = at - (low + 1) * n  # this layer's own weights
            for o in range(n):
                products(gradient, into + o * low, low, delta, row + o, h, row - low, cols)
                gradient[into + low * n + o] += total(delta, row + o, cols)
    return value


# ---- Spectral norm: sigma = u'Wv with v = normalise(W'u); u and v are constants for gradients --------------------------------


@compiled
def times(w, at, n, m, u, first, v):
    """v = W'u for u in its place, not normalised. W is (m, n)."""
    for i in range(n):
        v[i] = ZERO
    for o in range(m):
        for i in range(n):
            v[i] += w[at + o * n + i] * u[first + o]


@compiled
def normalise(v, first, n):
    """Makes n numbers a vector of length 1. Returns its length."""
    s = ZERO
    for i in range(first, first + n):
        s += v[i] * v[i]
    long = np.sqrt(s)
    long = TINY if long < TINY else long
    for i in range(first, first + n):
        v[i] /= long
    return long


@compiled
def power_iteration(w, sizes, u, v):
    at, first = NIL, NIL
    for l in range(1, len(sizes)):
        n, m = sizes[l - 1], sizes[l]
        times(w, at, n, m, u, first, v)
        normalise(v, NIL, n)
        for o in range(m):
            s = ZERO
            for i in range(n):
                s += w[at + o * n + i] * v[i]
            u[first + o] = s
        normalise(u, first, m)
        at, first = at + (n + 1) * m, first + m


@compiled
def divide(w, sizes, u, v, out):
    """out = the weights that D works with: each W by its sigma."""
    at, first = NIL, NIL
    for l in range(1, len(sizes)):
        n, m = sizes[l - 1], sizes[l]
        times(w, at, n, m, u, first, v)
        sigma = normalise(v, NIL, n)
        for i in range(at, at + n * m):
            out[i] = w[i] / sigma
        for i in range(at + n * m, at + (n + 1) * m):
            out[i] = w[i]
        at, first = at + (n + 1) * m, first + m


@compiled
def undivide(w, divided, sizes, u, v, gradient):
    """The gradient of D's own weights from that of the divided ones, in place: (G - (G·W/sigma) u v') / sigma."""
    at, first = NIL, NIL
    for l in range(1, len(sizes)):
        n, m = sizes[l - 1], sizes[l]
        times(w, at, n, m, u, first, v)
        sigma = normalise(v, NIL, n)
        dot = ZERO
        if sigma > TINY:
            for i in range(at, at + n * m):
                dot += gradient[i] * divided[i]
        for o in range(m):
            for i in range(n):
                j = at + o * n + i
                gradient[j] = (gradient[j] - dot * u[first + o] * v[i]) / sigma
        at, first = at + (n + 1) * m, first + m


# ---- Losses: their sum over the batch, and their slopes in `delta`. Gradients are divided by the batch size in the end: so ---
# ---- whole numbers add up exactly, and the gradient of a critic's output bias is 0, which Adam would else blow up. -----------


@compiled
def logs(l, delta, first, cols, sign, outside, smoothing):
    """Sum of outside · softplus(sign · l) + smoothing · l. The logarithm is taken once, of the product of 1 + e^-|l|."""
    ramps, product, value = 0.0, 1.0, 0.0
    for start in range(first, first + cols, 512):  # 2^512 is still a number in float64
        stop = min(start + 512, first + cols)
        product = 1.0
        for k in range(start, stop):
            x = sign * l[k]
            e = exp(-abs(x))
            product *= 1.0 + np.float64(e)
            ramps += outside * (x if x > ZERO else ZERO) + smoothing * l[k]
            sigmoid = (ONE if x >= ZERO else e) / (ONE + e)
            delta[k] = outside * sign * sigmoid + smoothing
        value += np.log(product)
    return ramps + outside * value


@compiled
def squares(l, delta, first, cols, target):
    value = 0.0
    for k in range(first, first + cols):
        off = l[k] - target
        value += HALF * off * off
        delta[k] = off
    return value


@compiled
def ramps(l, delta, first, cols, sign):
    """Sum of relu(1 + sign · l)."""
    value = 0.0
    for k in range(first, first + cols):
        off = ONE + sign * l[k]
        value += ZERO if off < ZERO else off
        delta[k] = sign if off > ZERO else ZERO
    return value


@compiled
def lines(l, delta, first, cols, sign):
    value = 0.0
    for k in range(first, first + cols):
        value += sign * l[k]
        delta[k] = sign
    return value


@compiled
def d_loss(loss, l, delta, b, smoothing):
    if loss <= MINIMAX:
        value = logs(l, delta, NIL, b, -ONE, ONE, smoothing) + logs(l, delta, b, b, ONE, ONE, ZERO)
    elif loss == LEAST_SQUARES:
        value = squares(l, delta, NIL, b, ONE) + squares(l, delta, b, b, ZERO)
    elif loss == HINGE:
        value = ramps(l, delta, NIL, b, -ONE) + ramps(l, delta, b, b, ONE)
    else:
        value = lines(l, delta, NIL, b, -ONE) + lines(l, delta, b, b, ONE)
    return value / b


@compiled
def g_loss(loss, l, delta, b):
    if loss == NON_SATURATING:
        value = logs(l, delta, NIL, b, -ONE, ONE, ZERO)
    elif loss == MINIMAX:
        value = logs(l, delta, NIL, b, ONE, -ONE, ZERO)
    elif loss == LEAST_SQUARES:
        value = squares(l, delta, NIL, b, ONE)
    else:
        value = lines(l, delta, NIL, b, -ONE)
    return value / b


@compiled
def accuracies(loss, l, b, told, r):
    """Adds the shares of reals above the middle and of fakes not above it."""
    middle = ZERO
    if loss == LEAST_SQUARES:
        middle = HALF
    elif loss == WGAN or loss == WGAN_GP:
        for k in range(2 * b):
            middle += l[k]
        middle /= np.float32(2 * b)
    real = fake = ZERO
    for k in range(b):
        real += ONE if l[k] > middle else ZERO
    for k in range(b, 2 * b):
        fake += ONE if l[k] <= middle else ZERO
    told[r, 1] += real / b
    told[r, 2] += fake / b


# ---- Optimisers, as in torch.optim ------------------------------------------------------------------------------------------


@compiled
def optimise(name, w, gradient, b, memory, lr, beta1, tick):
    """One step by the gradient's b-th part. Returns that part's length."""
    m, v, rate, share = memory[0], memory[1], np.float32(lr), ONE / np.float32(b)
    square = 0.0
    for i in range(len(w)):
        gradient[i] *= share
        square += np.float64(gradient[i]) * gradient[i]
    if name == SGD:
        for i in range(len(w)):
            w[i] -= rate * gradient[i]
    elif name == MOMENTUM:
        keep = np.float32(0.9)
        for i in range(len(w)):
            m[i] = keep * m[i] + gradient[i]
            w[i] -= rate * m[i]
    elif name == RMSPROP:
        keep, new, eps = np.float32(0.99), np.float32(0.01), np.float32(1e-8)
        for i in range(len(w)):
            v[i] = keep * v[i] + new * gradient[i] * gradient[i]
            w[i] -= rate * gradient[i] / (np.sqrt(v[i]) + eps)
    else:
        step = np.float32(lr / (1 - beta1**tick))
        root = np.float32(np.sqrt(1 - 0.999**tick))
        keep_m, new_m = np.float32(beta1), np.float32(1 - beta1)
        keep_v, new_v, eps = np.float32(0.999), np.float32(0.001), np.float32(1e-8)
        for i in range(len(w)):
            m[i] = keep_m * m[i] + new_m * gradient[i]
            v[i] = keep_v * v[i] + new_v * gradient[i] * gradient[i]
            w[i] -= step * m[i] / (np.sqrt(v[i]) / root + eps)
    return np.sqrt(square)


# ---- Rounds -----------------------------------------------------------------------------------------------------------------


@compiled
def generate(g, g_sizes, g_act, tanh_out, z, at, gh, gs, gc, order, b, cols):
    """From z[at] (B, noise_dim) to fakes in two rows of gh. Returns the first of them."""
    for i in range(g_sizes[0]):
        for k in range(b):
            gh[i, k] = z[at, k, i]
        for k in range(b, cols):
            gh[i, k] = ZERO
    first = forward(g, g_sizes, g_act, gh, gs, gc, order, cols)
    if tanh_out:
        for r in range(first, first + 2):
            activate(np.int64(TANH), gh, gs, gc, r, UNIT, cols)
    return first


@compiled
def train(rounds, told, whole, real, g_sizes, d_sizes, g, d, ema, g_memory, d_memory, u, data,
          index, index_next, z_d, z_d_next, mix, mix_next, jitter_d, jitter_d_next, z_g, z_g_next, jitter_g, jitter_g_next,
          g_rows, d_rows, vectors):  # fmt: skip
    """So many rounds. The arrays of draws are those of the block where the run is, and of the next.

    told: (rounds, 7) float64 zeros, to which each update adds what it was like, in the order of reference.Batch.TOLD.
    whole and real: the settings, in the order in which they are read below. g_rows (3, rows, cols), d_rows (7, rows, cols)
    and vectors (4, weights): room to work in.
    """
    b, loss, k_d, k_g, d_at, g_at, d_tick, g_tick = whole[0], whole[1], whole[2], whole[3], whole[4], whole[5], whole[6], whole[7]
    g_act, d_act, tanh_out, spectral, g_opt, d_opt = whole[8], whole[9], whole[10], whole[11], whole[12], whole[13]
    d_lr, g_lr, beta1, decay = real[0], real[1], real[2], real[3]
    smoothing, clip, gp, r1 = np.float32(real[4]), np.float32(real[5]), np.float32(real[6]), np.float32(real[7])
    spread = np.float32(real[8])

    gh, gs, gd = g_rows[0], g_rows[1], g_rows[2]
    h, slope, delta, curve, back, open_, tangent = (
        d_rows[0], d_rows[1], d_rows[2], d_rows[3], d_rows[4], d_rows[5], d_rows[6])  # fmt: skip
    g_gradient, d_gradient = vectors[0, : len(g)], vectors[1, : len(d)]
    effective, v = vectors[2, : len(d)], vectors[3]
    smooth = d_act >= TANH
    between = loss == WGAN_GP and gp > 0
    order = 2 if smooth and (r1 > 0 or between) else 1
    out = 0
    for l in range(len(d_sizes) - 1):
        out += d_sizes[l]
    logits, logits_delta = h[out], delta[out]
    w = effective if spectral else d

    # What is beyond the batch is finite, and its slopes are 0.
    cols, both = -(-b // LANES) * LANES, -(-2 * b // LANES) * LANES

    for r in range(rounds):
        for _ in range(k_d):
            here, at = d_at < BLOCK, d_at % BLOCK
            first = generate(g, g_sizes, g_act, tanh_out, z_d if here else z_d_next, at, gh, gs, gd, NIL, b, cols)
            chosen = index if here else index_next
            for k in range(b):
                i = chosen[at, k]
                h[0, k], h[1, k] = data[i, 0], data[i, 1]
            for k in range(b):
                h[0, b + k], h[1, b + k] = gh[first, k], gh[first + 1, k]
            for k in range(2 * b, both):
                h[0, k] = h[1, k] = ZERO
            if spread > 0:
                jitter = jitter_d if here else jitter_d_next
                for side in range(2):
                    for k in range(b):
                        h[0, side * b + k] += spread * jitter[at, side, k, 0]
                        h[1, side * b + k] += spread * jitter[at, side, k, 1]

            if spectral:
                power_iteration(d, d_sizes, u, v)
                divide(d, d_sizes, u, v, effective)
            d_gradient[:] = 0
            forward(w, d_sizes, d_act, h, slope, curve, order, both)
            told[r, 0] += d_loss(loss, logits, logits_delta, b, smoothing)
            for k in range(2 * b, both):
                logits_delta[k] = ZERO
            accuracies(loss, logits, b, told, r)
            backward(w, d_sizes, h, slope, delta, d_gradient, YES, NO, both)
            if r1 > 0:
                told[r, 4] += penalty(w, d_sizes, smooth, r1, NO, h, slope, curve, back, open_, tangent, delta, d_gradient,
                                      b, cols)  # fmt: skip
            if between:
                share = mix if here else mix_next
                for i in range(2):
                    for k in range(b):
                        h[i, k] = share[at, k] * h[i, k] + (ONE - share[at, k]) * h[i, b + k]
                forward(w, d_sizes, d_act, h, slope, curve, order, cols)
                told[r, 4] += penalty(w, d_sizes, smooth, gp, YES, h, slope, curve, back, open_, tangent, delta, d_gradient,
                                      b, cols)  # fmt: skip
            if spectral:
                undivide(d, effective, d_sizes, u, v, d_gradient)

            d_at, d_tick = d_at + 1, d_tick + 1
            told[r, 3] += optimise(d_opt, d, d_gradient, b, d_memory, d_lr, beta1, d_tick)
            if loss == WGAN:
                for i in range(len(d)):
                    d[i] = clip if d[i] > clip else (-clip if d[i] < -clip else d[i])

        for _ in range(k_g):
            here, at = g_at < BLOCK, g_at % BLOCK
            first = generate(g, g_sizes, g_act, tanh_out, z_g if here else z_g_next, at, gh, gs, gd, UNIT, b, cols)
            for i in range(2):
                for k in range(cols):
                    h[i, k] = gh[first + i, k]
            if spread > 0:
                shake = jitter_g if here else jitter_g_next
                for k in range(b):
                    h[0, k] += spread * shake[at, k, 0]
                    h[1, k] += spread * shake[at, k, 1]

            if spectral:
                divide(d, d_sizes, u, v, effective)
            forward(w, d_sizes, d_act, h, slope, curve, UNIT, cols)
            told[r, 5] += g_loss(loss, logits, logits_delta, b)
            for k in range(b, cols):
                logits_delta[k] = ZERO
            backward(w, d_sizes, h, slope, delta, d_gradient, NO, YES, cols)
            for i in range(2):
                for k in range(cols):
                    gd[first + i, k] = delta[i, k]
                if tanh_out:
                    multiply(gd, first + i, gs, cols)
            g_gradient[:] = 0
            backward(g, g_sizes, gh, gs, gd, g_gradient, YES, NO, cols)

            g_at, g_tick = g_at + 1, g_tick + 1
            told[r, 6] += optimise(g_opt, g, g_gradient, b, g_memory, g_lr, beta1, g_tick)
            if decay > 0:
                keep, new = np.float32(decay), np.float32(1 - decay)
                for i in range(len(g)):
                    ema[i] = keep * ema[i] + new * g[i]
            else:
                ema[:] = g
