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
TINY = np.float32(1e-12)
ONE, ZERO, HALF, TWO = np.float32(1), np.float32(0), np.float32(0.5), np.float32(2)
LEAK = np.float32(0.2)

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


# ---- Rows -------------------------------------------------------------------------------------------------------------------


@compiled
def combine(out, bias, w, at, step, n, x, row, cols):
    """out = bias + the sum of w[at + i step] x[row + i] over i < n. The inner product of all passes, forward and back."""
    if n >= 4:
        w0, w1, w2, w3 = w[at], w[at + step], w[at + 2 * step], w[at + 3 * step]
        x0, x1, x2, x3 = x[row], x[row + 1], x[row + 2], x[row + 3]
        for k in range(cols):
            out[k] = bias + w0 * x0[k] + w1 * x1[k] + w2 * x2[k] + w3 * x3[k]
        i = 4
    elif n >= 2:
        w0, w1 = w[at], w[at + step]
        x0, x1 = x[row], x[row + 1]
        for k in range(cols):
            out[k] = bias + w0 * x0[k] + w1 * x1[k]
        i = 2
    else:
        w0, x0 = w[at], x[row]
        for k in range(cols):
            out[k] = bias + w0 * x0[k]
        i = 1
    while i + 4 <= n:
        w0, w1, w2, w3 = w[at + i * step], w[at + (i + 1) * step], w[at + (i + 2) * step], w[at + (i + 3) * step]
        x0, x1, x2, x3 = x[row + i], x[row + i + 1], x[row + i + 2], x[row + i + 3]
        for k in range(cols):
            out[k] += w0 * x0[k] + w1 * x1[k] + w2 * x2[k] + w3 * x3[k]
        i += 4
    while i < n:
        w0, x0 = w[at + i * step], x[row + i]
        for k in range(cols):
            out[k] += w0 * x0[k]
        i += 1


@compiled
def products(gradient, at, n, delta, x, row, cols):
    """gradient[at + i] += delta · x[row + i], over i < n: one unit's gradients of its weights."""
    i = 0
    while i + 4 <= n:
        x0, x1, x2, x3 = x[row + i], x[row + i + 1], x[row + i + 2], x[row + i + 3]
        s0 = s1 = s2 = s3 = ZERO
        for k in range(cols):
            d = delta[k]
            s0 += d * x0[k]
            s1 += d * x1[k]
            s2 += d * x2[k]
            s3 += d * x3[k]
        gradient[at + i] += s0
        gradient[at + i + 1] += s1
        gradient[at + i + 2] += s2
        gradient[at + i + 3] += s3
        i += 4
    while i < n:
        x0 = x[row + i]
        s0 = ZERO
        for k in range(cols):
            s0 += delta[k] * x0[k]
        gradient[at + i] += s0
        i += 1


@compiled
def total(row, cols):
    s = ZERO
    for k in range(cols):
        s += row[k]
    return s


@compiled
def activate(act, h, slope, curve, order, cols):
    """Sums h become activations, in place; their slopes (order >= 1) and second derivatives (order 2) are kept beside."""
    if act == RELU:
        if order:
            for k in range(cols):
                a = h[k]
                h[k] = ZERO if a < ZERO else a
                slope[k] = ONE if a > ZERO else ZERO
        else:
            for k in range(cols):
                a = h[k]
                h[k] = ZERO if a < ZERO else a
    elif act == LEAKY_RELU:
        for k in range(cols):
            a = h[k]
            s = ONE if a > ZERO else LEAK
            h[k] = a * s
            slope[k] = s
    elif act == TANH:
        for k in range(cols):
            t = tanh(h[k])
            h[k] = t
            slope[k] = ONE - t * t
        if order == 2:
            for k in range(cols):
                curve[k] = -TWO * h[k] * slope[k]
    else:
        if order == 2:
            for k in range(cols):
                a = h[k]
                s = ONE / (ONE + exp(-a))
                curve[k] = s * (ONE - s) * (TWO + a * (ONE - TWO * s))
        for k in range(cols):
            a = h[k]
            s = ONE / (ONE + exp(-a))
            h[k] = a * s
            slope[k] = s * (ONE + a * (ONE - s))


# ---- Nets. `sizes` are units per layer, the input first; layer l has its rows after those of the layers before. -------------


@compiled
def forward(w, sizes, act, h, slope, curve, order, cols):
    """From the input in h's first rows to everything after it. Returns the first row of the output layer."""
    at, row = 0, 0
    for l in range(1, len(sizes)):
        n, m = sizes[l - 1], sizes[l]
        bias = at + n * m
        for o in range(m):
            r = row + n + o
            combine(h[r], w[bias + o], w, at + o * n, 1, n, h, row, cols)
            if l < len(sizes) - 1:
                activate(act, h[r], slope[r], curve[r], order, cols)
        at, row = bias + m, row + n
    return row


@compiled
def backward(w, sizes, h, slope, delta, gradient, weights, inputs, cols):
    """From dL/d(sum) in delta's last rows to those of all layers; adds to the weights' gradient, and, if asked for, says
    dL/d(input) in delta's first rows."""
    last = len(sizes) - 1
    at, row = 0, 0
    for l in range(last):
        at += (sizes[l] + 1) * sizes[l + 1]
        row += sizes[l]
    for l in range(last, 0, -1):
        n, m = sizes[l - 1], sizes[l]
        at -= (n + 1) * m
        below = row - n
        if weights:
            for o in range(m):
                products(gradient, at + o * n, n, delta[row + o], h, below, cols)
                gradient[at + n * m + o] += total(delta[row + o], cols)
        if l > 1 or inputs:
            for i in range(n):
                out = delta[below + i]
                combine(out, ZERO, w, at + i, n, m, delta, row, cols)
                if l > 1:
                    s = slope[below + i]
                    for k in range(cols):
                        out[k] *= s[k]
        row = below


@compiled
def penalty(w, sizes, smooth, weight, length, h, slope, curve, back, open_, tangent, delta, gradient, cols):
    """Adds the gradient of weight · sum (|g| - 1)² (length) or of weight / 2 · sum |g|² (not) to `gradient`, and returns
    the penalty, which is the mean. h, slope and curve are those of a pass forward at these points."""
    last = len(sizes) - 1
    at, row = 0, 0
    for l in range(last):
        at += (sizes[l] + 1) * sizes[l + 1]
        row += sizes[l]
    end, end_row = at, row

    # g: the way back from l itself. `back` is dl/d(sum) of every unit, `open_` the same before the unit's slope.
    one = back[row]
    for k in range(cols):
        one[k] = ONE
    for l in range(last, 0, -1):
        n, m = sizes[l - 1], sizes[l]
        at -= (n + 1) * m
        below = row - n
        for i in range(n):
            out = back[below + i]
            combine(out, ZERO, w, at + i, n, m, back, row, cols)
            if l > 1:
                s, o = slope[below + i], open_[below + i]
                if smooth:
                    for k in range(cols):
                        o[k] = out[k]
                for k in range(cols):
                    out[k] *= s[k]
        row = below

    # The penalty, and v = dP/dg as the tangent of the input.
    value = 0.0
    gx, gy, vx, vy = back[0], back[1], tangent[0], tangent[1]
    if length:
        for k in range(cols):
            long = np.sqrt(gx[k] * gx[k] + gy[k] * gy[k] + TINY)
            off = long - ONE
            value += off * off
            scale = TWO * weight * off / long
            vx[k], vy[k] = scale * gx[k], scale * gy[k]
        value *= weight / cols
    else:
        for k in range(cols):
            value += gx[k] * gx[k] + gy[k] * gy[k]
            vx[k], vy[k] = weight * gx[k], weight * gy[k]
        value *= weight / 2 / cols

    # Forward along v. For a smooth unit, `open_` becomes what its sum's own gradient gets from its bend.
    at, row = 0, 0
    for l in range(1, last + 1):
        n, m = sizes[l - 1], sizes[l]
        for o in range(m):
            r = row + n + o
            products(gradient, at + o * n, n, back[r], tangent, row, cols)
            if l < last:
                t, s = tangent[r], slope[r]
                combine(t, ZERO, w, at + o * n, 1, n, tangent, row, cols)
                if smooth:
                    c, b = curve[r], open_[r]
                    for k in range(cols):
                        b[k] *= c[k] * t[k]
                for k in range(cols):
                    t[k] *= s[k]
        at, row = at + (n + 1) * m, row + n

    # And back through the activations, where they bend.
    if smooth and last > 1:
        at, row = end, end_row
        for l in range(last - 1, 0, -1):
            n, m = sizes[l], sizes[l + 1]
            at -= (n + 1) * m
            above, row = row, row - n
            for i in range(n):
                d, b = delta[row + i], open_[row + i]
                if l == last - 1:
                    for k in range(cols):
                        d[k] = b[k]
                else:
                    s = slope[row + i]
                    combine(d, ZERO, w, at + i, n, m, delta, above, cols)
                    for k in range(cols):
                        d[k] = d[k] * s[k] + b[k]
            low = sizes[l - 1]
            start = at - (low + 1) * n
            for o in range(n):
                products(gradient, start + o * low, low, delta[row + o], h, row - low, cols)
                gradient[start + low * n + o] += total(delta[row + o], cols)
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
    at, first = 0, 0
    for l in range(1, len(sizes)):
        n, m = sizes[l - 1], sizes[l]
        times(w, at, n, m, u, first, v)
        normalise(v, 0, n)
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
    at, first = 0, 0
    for l in range(1, len(sizes)):
        n, m = sizes[l - 1], sizes[l]
        times(w, at, n, m, u, first, v)
        sigma = normalise(v, 0, n)
        for i in range(at, at + n * m):
            out[i] = w[i] / sigma
        for i in range(at + n * m, at + (n + 1) * m):
            out[i] = w[i]
        at, first = at + (n + 1) * m, first + m


@compiled
def undivide(w, divided, sizes, u, v, gradient):
    """The gradient of D's own weights from that of the divided ones, in place: (G - (G·W/sigma) u v') / sigma."""
    at, first = 0, 0
    for l in range(1, len(sizes)):
        n, m = sizes[l - 1], sizes[l]
        times(w, at, n, m, u, first, v)
        sigma = normalise(v, 0, n)
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
        value = logs(l, delta, 0, b, -ONE, ONE, smoothing) + logs(l, delta, b, b, ONE, ONE, ZERO)
    elif loss == LEAST_SQUARES:
        value = squares(l, delta, 0, b, ONE) + squares(l, delta, b, b, ZERO)
    elif loss == HINGE:
        value = ramps(l, delta, 0, b, -ONE) + ramps(l, delta, b, b, ONE)
    else:
        value = lines(l, delta, 0, b, -ONE) + lines(l, delta, b, b, ONE)
    return value / b


@compiled
def g_loss(loss, l, delta, b):
    if loss == NON_SATURATING:
        value = logs(l, delta, 0, b, -ONE, ONE, ZERO)
    elif loss == MINIMAX:
        value = logs(l, delta, 0, b, ONE, -ONE, ZERO)
    elif loss == LEAST_SQUARES:
        value = squares(l, delta, 0, b, ONE)
    else:
        value = lines(l, delta, 0, b, -ONE)
    return value / b


@compiled
def accuracies(loss, l, b, told):
    """Adds the shares of reals above the middle and of fakes not above it."""
    middle = ZERO
    if loss == LEAST_SQUARES:
        middle = HALF
    elif loss == WGAN or loss == WGAN_GP:
        middle = total(l, 2 * b) / np.float32(2 * b)
    real = fake = ZERO
    for k in range(b):
        real += ONE if l[k] > middle else ZERO
    for k in range(b, 2 * b):
        fake += ONE if l[k] <= middle else ZERO
    told[1] += real / b
    told[2] += fake / b


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
def generate(g, g_sizes, g_act, tanh_out, z, gh, gs, gc, order, b):
    """From z (B, noise_dim) to fakes in two rows of gh. Returns the first of them."""
    for i in range(g_sizes[0]):
        row = gh[i]
        for k in range(b):
            row[k] = z[k, i]
    first = forward(g, g_sizes, g_act, gh, gs, gc, order, b)
    if tanh_out:
        for r in range(first, first + 2):
            activate(TANH, gh[r], gs[r], gc[r], 1, b)
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
    x, y, logits, logits_delta = h[0], h[1], h[out], delta[out]

    for r in range(rounds):
        for _ in range(k_d):
            here, at = d_at < BLOCK, d_at % BLOCK
            chosen, z = (index[at], z_d[at]) if here else (index_next[at], z_d_next[at])
            first = generate(g, g_sizes, g_act, tanh_out, z, gh, gs, gd, 0, b)
            fx, fy = gh[first], gh[first + 1]
            for k in range(b):
                x[k], y[k] = data[chosen[k], 0], data[chosen[k], 1]
                x[b + k], y[b + k] = fx[k], fy[k]
            if spread > 0:
                jitter = jitter_d[at] if here else jitter_d_next[at]
                for side in range(2):
                    for k in range(b):
                        x[side * b + k] += spread * jitter[side, k, 0]
                        y[side * b + k] += spread * jitter[side, k, 1]

            if spectral:
                power_iteration(d, d_sizes, u, v)
                divide(d, d_sizes, u, v, effective)
                w = effective
            else:
                w = d
            d_gradient[:] = 0
            forward(w, d_sizes, d_act, h, slope, curve, order, 2 * b)
            told[r, 0] += d_loss(loss, logits, logits_delta, b, smoothing)
            accuracies(loss, logits, b, told[r])
            backward(w, d_sizes, h, slope, delta, d_gradient, True, False, 2 * b)
            if r1 > 0:
                told[r, 4] += penalty(w, d_sizes, smooth, r1, False, h, slope, curve, back, open_, tangent, delta, d_gradient, b)
            if between:
                share = mix[at] if here else mix_next[at]
                for k in range(b):
                    x[k] = share[k] * x[k] + (ONE - share[k]) * x[b + k]
                    y[k] = share[k] * y[k] + (ONE - share[k]) * y[b + k]
                forward(w, d_sizes, d_act, h, slope, curve, order, b)
                told[r, 4] += penalty(w, d_sizes, smooth, gp, True, h, slope, curve, back, open_, tangent, delta, d_gradient, b)
            if spectral:
                undivide(d, effective, d_sizes, u, v, d_gradient)

            d_at, d_tick = d_at + 1, d_tick + 1
            told[r, 3] += optimise(d_opt, d, d_gradient, b, d_memory, d_lr, beta1, d_tick)
            if loss == WGAN:
                for i in range(len(d)):
                    d[i] = clip if d[i] > clip else (-clip if d[i] < -clip else d[i])

        for _ in range(k_g):
            here, at = g_at < BLOCK, g_at % BLOCK
            first = generate(g, g_sizes, g_act, tanh_out, z_g[at] if here else z_g_next[at], gh, gs, gd, 1, b)
            fx, fy = gh[first], gh[first + 1]
            for k in range(b):
                x[k], y[k] = fx[k], fy[k]
            if spread > 0:
                noise = jitter_g[at] if here else jitter_g_next[at]
                for k in range(b):
                    x[k] += spread * noise[k, 0]
                    y[k] += spread * noise[k, 1]

            if spectral:
                divide(d, d_sizes, u, v, effective)
                w = effective
            else:
                w = d
            forward(w, d_sizes, d_act, h, slope, curve, 1, b)
            told[r, 5] += g_loss(loss, logits, logits_delta, b)
            backward(w, d_sizes, h, slope, delta, d_gradient, False, True, b)
            for i in range(2):
                to, by, s = gd[first + i], delta[i], gs[first + i]
                if tanh_out:
                    for k in range(b):
                        to[k] = by[k] * s[k]
                else:
                    for k in range(b):
                        to[k] = by[k]
            g_gradient[:] = 0
            backward(g, g_sizes, gh, gs, gd, g_gradient, True, False, b)

            g_at, g_tick = g_at + 1, g_tick + 1
            told[r, 6] += optimise(g_opt, g, g_gradient, b, g_memory, g_lr, beta1, g_tick)
            if decay > 0:
                keep, new = np.float32(decay), np.float32(1 - decay)
                for i in range(len(g)):
                    ema[i] = keep * ema[i] + new * g[i]
            else:
                ema[:] = g
