r"""Real mutually unbiased bases from a Kerdock set: D^2 + 2D unit vectors of R^D with a largest cosine of 1/sqrt(D).

Cameron and Seidel (1973), "Quadratic forms over GF(2)"; Calderbank, Cameron, Kantor and Seidel (1997),
"Z4-Kerdock codes, orthogonal spreads, and extremal Euclidean line-sets".
"""

from functools import lru_cache

import torch
from torch import Tensor

__all__ = ['kerdock_dim', 'kerdock_rows']

# Irreducible polynomials over GF(2) with x as a primitive element, by degree; bit i is the coefficient of x^i.
PRIMITIVE = {1: 0b11, 3: 0b1011, 5: 0b100101, 7: 0b10000011, 9: 0b1000010001, 11: 0b100000000101}
DIMS = tuple(2 ** (degree + 1) for degree in PRIMITIVE)  # 4, 16, 64, 256, 1024, 4096


def kerdock_dim(num_classes: int, feat_dim: int) -> int:
    """Return the dimension, at most D, of the best table for K centroids, or 0 if none has K rows.

    It is the largest power of 4, up to 4096. For K > 2D, the largest cosine of K rows is its inverse square root.

    Example:
        >>> kerdock_dim(1000, 64), kerdock_dim(1000, 300), kerdock_dim(5000, 64)
        (64, 256, 0)
    """
    dim = max((dim for dim in DIMS if dim <= feat_dim), default=0)
    return dim if num_classes <= dim * (dim + 2) else 0


def kerdock_rows(indices: Tensor, dim: int, dtype: torch.dtype = torch.float64) -> Tensor:
    r"""Return rows of the table of D^2 + 2D unit vectors of R^D whose pairwise cosines are 0, -1 or +-1/sqrt(D).

    The table holds D/2 + 1 orthonormal bases, each vector followed by its opposite: row 2 (j D + b) is vector b of
    basis j, row 2 (j D + b) + 1 its negative. Two vectors of one basis are orthogonal; two of different bases have a
    cosine of :math:`\pm 1/\sqrt{D}`. With :math:`D = 2^m`, the coordinates are :math:`u = (x, e)` with x in GF(2^n),
    n = m - 1, and a bit e, and vector b of basis a in GF(2^n) is

    .. math:: v_{a,b}(u) = 2^{-m/2} (-1)^{Q_a(u) + b \cdot u}, \quad
        Q_a(x, e) = \sum_{i=1}^{(m-2)/2} Tr((a x)^{2^i + 1}) + e\,Tr(a x).

    The last basis is the standard basis. Every entry is exact in every floating-point type.

    Args:
        indices: Rows to compute, shape (N,), integers in [0, D^2 + 2D).
        dim: D, one of 4, 16, 64, 256, 1024 and 4096.
        dtype: Data type of the result.

    Example:
        >>> rows = kerdock_rows(torch.arange(24), 4)
        >>> (rows @ rows.T).unique()
        tensor([-1.0000, -0.5000,  0.0000,  0.5000,  1.0000], dtype=torch.float64)
    """
    forms, walsh = (table.to(indices.device) for table in _tables(dim))
    pairs, opposite = indices.long() // 2, (indices % 2).to(torch.int8)
    basis, vector = pairs // dim, pairs % dim
    signs = walsh.index_select(0, vector).mul_(forms.index_select(0, basis.clamp_max(dim // 2 - 1)))
    rows = signs.mul_((1 - 2 * opposite).unsqueeze(1)).to(dtype).mul_(dim**-0.5)
    standard = (basis == dim // 2).nonzero().flatten()
    rows[standard] = 0
    rows[standard, vector[standard]] = (1 - 2 * opposite[standard]).to(dtype)
    return rows


@lru_cache(maxsize=2)
def _tables(dim: int) -> tuple[Tensor, Tensor]:
    """Return (-1)^Q_a(u), shape (D/2, D), and the Walsh functions (-1)^(b.u), (D, D), both int8; u = x + 2^n e."""
    degree, size = dim.bit_length() - 2, dim // 2  # n, and the number of elements of the field
    powers = [1]  # of the primitive element
    while len(powers) < size - 1:
        double = powers[-1] << 1
        powers.append(double ^ PRIMITIVE[degree] if double & size else double)
    exp = torch.tensor(powers)
    log = torch.empty(size, dtype=torch.long)
    log[exp] = torch.arange(size - 1)

    # By element x != 0: its trace, the sum of x^(2^i) over i < n, and Q_1(x, 0), the sum of Tr(x^(2^i + 1)).
    trace, form = torch.zeros(size, dtype=torch.long), torch.zeros(size, dtype=torch.long)
    for i in range(degree):
        trace[1:] ^= exp[log[1:] * 2**i % (size - 1)]
    for i in range(1, (degree + 1) // 2):
        form[1:] ^= trace[exp[log[1:] * (2**i + 1) % (size - 1)]]

    product = torch.zeros(size, size, dtype=torch.long)  # a x
    product[1:, 1:] = exp[(log[1:, None] + log[None, 1:]) % (size - 1)]
    forms = torch.cat([form[product], form[product] ^ trace[product]], dim=1)

    walsh = torch.ones(1, 1, dtype=torch.int8)
    while len(walsh) < dim:
        walsh = torch.cat([torch.cat([walsh, walsh], dim=1), torch.cat([walsh, -walsh], dim=1)])
    return (1 - 2 * forms).to(torch.int8), walsh
