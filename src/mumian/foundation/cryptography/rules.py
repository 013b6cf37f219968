"""SM2 signatures after GB/T 32918.2-2016 on the curve of GB/T 32918.5-2017, as plain integer arithmetic.

Python integers do not run in constant time: where that matters, put a certified card behind the provider port.
"""

from collections.abc import Callable
from functools import lru_cache

Point = tuple[int, int]
Digest = Callable[[bytes], bytes]

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G: Point = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
USER_ID = b"1234567812345678"

_Jacobian = tuple[int, int, int]
_ZERO: _Jacobian = (1, 1, 0)


def public_point(private: int) -> Point:
    """The public key of a private key in [1, n-2]."""
    return _affine(_multiply(G, private))


def on_curve(point: Point) -> bool:
    """Whether a point satisfies y² = x³ + ax + b with reduced coordinates."""
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x * x + A * x + B)) % P == 0


def message_digest(sm3: Digest, public: Point, message: bytes, user_id: bytes = USER_ID) -> int:
    """The number e = SM3(Z_A ‖ M) that is signed; Z_A binds the user id, the curve and the public key (§5.5, §6.1)."""
    parts = (A, B, *G, *public)
    z = sm3((len(user_id) * 8).to_bytes(2, "big") + user_id + b"".join(part.to_bytes(32, "big") for part in parts))
    return int.from_bytes(sm3(z + message), "big")


def sign(private: int, digest: int, nonce: int) -> tuple[int, int] | None:
    """The signature (r, s) of a digest; None when this nonce in [1, n-1] gives none and another one must be drawn (§6.1)."""
    x, _ = _affine(_multiply(G, nonce))
    r = (digest + x) % N
    if r == 0 or r + nonce == N:
        return None
    s = pow(1 + private, -1, N) * (nonce - r * private) % N
    return None if s == 0 else (r, s)


def verify(public: Point, digest: int, signature: tuple[int, int]) -> bool:
    """Whether (r, s) is a signature of the digest by the public key (§7.1); false for points off the curve."""
    r, s = signature
    t = (r + s) % N
    if not (0 < r < N and 0 < s < N and t and on_curve(public)):
        return False
    total = _add(_multiply(G, s), _multiply(public, t))
    return total[2] != 0 and (digest + _affine(total)[0]) % N == r


def _multiply(point: Point, scalar: int) -> _Jacobian:
    result = _ZERO
    for row in _table(point):
        scalar, digit = divmod(scalar, 16)
        if digit:
            result = _add_affine(result, row[digit - 1])
    return result


@lru_cache(maxsize=64)
def _table(point: Point) -> list[list[Point]]:
    """For each of the 64 hexadecimal digits of a scalar, the digit's fifteen multiples of the point."""
    rows: list[list[Point]] = []
    base: _Jacobian = (*point, 1)
    for _ in range(64):
        first, row, step = _affine(base), [_affine(base)], base
        for _ in range(14):
            step = _add_affine(step, first)
            row.append(_affine(step))
        rows.append(row)
        base = _add_affine(step, first)
    return rows


def _affine(point: _Jacobian) -> Point:
    x, y, z = point
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return x * square % P, y * square * inverse % P


def _double(point: _Jacobian) -> _Jacobian:
    x, y, z = point
    if not (y and z):
        return _ZERO
    square = z * z % P
    m = 3 * (x - square) * (x + square) % P
    yy = y * y % P
    s = 4 * x * yy % P
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P


def _add_affine(left: _Jacobian, right: Point) -> _Jacobian:
    return _add(left, (*right, 1))


def _add(left: _Jacobian, right: _Jacobian) -> _Jacobian:
    x1, y1, z1 = left
    x2, y2, z2 = right
    if not (z1 and z2):
        return right if not z1 else left
    zz1, zz2 = z1 * z1 % P, z2 * z2 % P
    u1, s1 = x1 * zz2 % P, y1 * zz2 * z2 % P
    h = (x2 * zz1 - u1) % P
    r = (y2 * zz1 * z1 - s1) % P
    if not h:
        return _double(left) if not r else _ZERO
    hh = h * h % P
    hhh, v = hh * h % P, u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - s1 * hhh) % P, h * z1 * z2 % P
