"""Writes test/ops/linalg_goldens.txt: products, equations, decompositions and norms of matrices with PyTorch.

Needs PyTorch. Run from the root: python test/oracle/linalg_goldens.py

The format is that of test/oracle/goldens.py. Factors that are unique up to signs (qr, svd, eigh) are multiplied by signs that make the diagonal of R, or the first row of
the vectors, positive; both sides do so.
"""
import math

import torch

from goldens import Goldens

T, L = torch, torch.linalg
D, S, H, B = torch.float64, torch.float32, torch.float16, torch.bfloat16


def signs(x):
    s = T.sign(x.detach())
    return T.where(s == 0, T.ones_like(s), s)


def qr(a, x):
    q, r = L.qr(x, "complete" if a[0] else "reduced")
    k = min(x.shape[-2:])
    s = signs(T.diagonal(r, dim1=-2, dim2=-1))
    wide = T.cat([s, T.ones(*s.shape[:-1], q.shape[-1] - k, dtype=s.dtype)], -1)
    q, r = q * wide.unsqueeze(-2), r * T.cat([s, T.ones(*s.shape[:-1], r.shape[-2] - k, dtype=s.dtype)], -1).unsqueeze(-1)
    return q[..., :k], r  # further columns are any basis of the rest


def svd(a, x):
    u, s, vh = L.svd(x, full_matrices=False)
    f = signs(u[..., 0, :])
    return u * f.unsqueeze(-2), s, vh * f.unsqueeze(-1)


def eigh(a, x):
    values, vectors = L.eigh(x, UPLO="U" if a[0] else "L")
    return values, vectors * signs(vectors[..., 0, :]).unsqueeze(-2)


def symmetric(x):
    return (x + x.mT) / 2


NORMS = ["fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf]
OPS = {
    "matmul": lambda a, x, y: x @ y,
    "mm": lambda a, x, y: T.mm(x, y),
    "bmm": lambda a, x, y: T.bmm(x, y),
    "mv": lambda a, x, y: T.mv(x, y),
    "dot": lambda a, x, y: T.dot(x, y),
    "outer": lambda a, x, y: T.outer(x, y),
    "inner": lambda a, x, y: T.inner(x, y),
    "addmm": lambda a, c, x, y: T.addmm(c, x, y, beta=a[0], alpha=a[1]),
    "baddbmm": lambda a, c, x, y: T.baddbmm(c, x, y, beta=a[0], alpha=a[1]),
    "addmv": lambda a, c, x, y: T.addmv(c, x, y, beta=a[0], alpha=a[1]),
    "linear": lambda a, x, w, b=None: T.nn.functional.linear(x, w, b),
    "bilinear": lambda a, x, y, w, b=None: T.nn.functional.bilinear(x, y, w, b),
    "einsum": lambda a, *x: T.einsum(a[0], *x),
    "tensordot": lambda a, x, y: T.tensordot(x, y, a[0] if len(a) == 1 else (a[0], a[1])),
    "kron": lambda a, x, y: T.kron(x, y),
    "cross": lambda a, x, y: L.cross(x, y, dim=a[0]),
    "trace": lambda a, x: T.trace(x),
    "matrix_power": lambda a, x: L.matrix_power(x, a[0]),
    "multi_dot": lambda a, *x: L.multi_dot(x),
    "matrix_exp": lambda a, x: L.matrix_exp(x),
    "cdist": lambda a, x, y: T.cdist(x, y, p=a[0], compute_mode="donot_use_mm_for_euclid_dist"),
    "dist": lambda a, x, y: T.dist(x, y, p=a[0]),
    "inv": lambda a, x: L.inv(x),
    "solve": lambda a, x, y: L.solve(x, y),
    "solve_triangular": lambda a, x, y: L.solve_triangular(x, y, upper=bool(a[0]), left=bool(a[1]), unitriangular=bool(a[2])),
    "cholesky": lambda a, x: L.cholesky(symmetric(x), upper=bool(a[0])),
    # only one triangle of the factor is read; PyTorch's gradient of the other one is not 0
    "cholesky_solve": lambda a, b, f: T.cholesky_solve(b, T.triu(f) if a[0] else T.tril(f), upper=bool(a[0])),
    "cholesky_inverse": lambda a, f: T.cholesky_inverse(T.triu(f) if a[0] else T.tril(f), upper=bool(a[0])),
    "det": lambda a, x: L.det(x),
    "slogdet": lambda a, x: L.slogdet(x),
    "logdet": lambda a, x: T.logdet(x),
    "lu_factor": lambda a, x: L.lu_factor(x),
    "lu_solve": lambda a, x, b: L.lu_solve(*L.lu_factor(x), b),
    "qr": qr,
    "svd": svd,
    "svdvals": lambda a, x: L.svdvals(x),
    "eigh": eigh,
    "eigvalsh": lambda a, x: L.eigvalsh(x, UPLO="U" if a[0] else "L"),
    "pinv": lambda a, x: L.pinv(x, rtol=a[0]) if a else L.pinv(x),
    "lstsq": lambda a, x, b: L.lstsq(x, b).solution,
    "matrix_rank": lambda a, x: L.matrix_rank(x, rtol=a[0]) if a else L.matrix_rank(x),
    "cond": lambda a, x: L.cond(x),
    "householder_product": lambda a, x, t: L.householder_product(x, t),
    "matrix_norm": lambda a, x: L.matrix_norm(x, NORMS[a[0]], keepdim=bool(a[1])),
}
g = Goldens(OPS, once={"cdist"})
gen = torch.Generator().manual_seed(5)


def v(*shape, dtype=D):
    t = torch.randn(shape, generator=gen, dtype=D)
    return ((t * 16).round() / 16).to(dtype)


def regular(*batch, n=3):
    return v(*batch, n, n) + T.diag(T.arange(2.0, 2.0 + n, dtype=D))


def positive(*batch, n=3):
    x = v(*batch, n, n)
    return x @ x.mT + T.eye(n, dtype=D)


def whole(*shape, dtype=torch.int64):
    return torch.randint(0, 5, shape, generator=gen).to(dtype)


def products():
    for a, b in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((2, 2, 3), (3, 2)), ((2, 1, 2, 3), (2, 3, 2)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,)), ((1, 4), (4, 1))]:
        g.case("matmul", [], v(*a), v(*b))
    for dtype in (S, H, B):
        g.case("matmul", [], v(3, 5, dtype=dtype), v(5, 2, dtype=dtype))
    for dtype in (torch.int64, torch.int32, torch.uint8):
        g.case("matmul", [], whole(3, 4, dtype=dtype), whole(4, 2, dtype=dtype))
    g.case("matmul", [], v(2, 0), v(0, 3), wanted=[])
    g.case("matmul", [], T.tensor([[1.0, math.inf], [math.nan, 2.0]], dtype=D), v(2, 2), wanted=[])
    g.case("mm", [], v(2, 3), v(3, 4))
    g.case("bmm", [], v(2, 2, 3), v(2, 3, 2))
    g.case("mv", [], v(2, 3), v(3))
    g.case("dot", [], v(4), v(4))
    g.case("outer", [], v(3), v(2))
    g.case("outer", [], whole(3), whole(2))
    for a, b in [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((2, 2, 3), (2, 3)), ((), (2, 3))]:
        g.case("inner", [], v(*a), v(*b))
    for beta, alpha in (1.0, 1.0), (0.5, 2.0), (0.0, 1.0):
        for c in ((2, 4), (4,), (2, 1), (1,)):
            g.case("addmm", [beta, alpha], v(*c), v(2, 3), v(3, 4))
        g.case("baddbmm", [beta, alpha], v(2, 2, 2), v(2, 2, 3), v(2, 3, 2))
        g.case("addmv", [beta, alpha], v(2), v(2, 3), v(3))
    g.case("addmm", [0.0, 1.0], T.full((2, 2), math.nan, dtype=D), v(2, 3), v(3, 2), wanted=[])
    g.case("addmm", [1.0, 1.0], v(2, 4, dtype=S), v(2, 3, dtype=S), v(3, 4, dtype=S))
    g.case("linear", [], v(2, 3), v(4, 3), v(4))
    g.case("linear", [], v(2, 2, 3), v(4, 3))
    g.case("linear", [], v(3), v(4, 3), v(4))
    g.case("linear", [], v(2, 3, dtype=B), v(4, 3, dtype=B), v(4, dtype=B))
    g.case("bilinear", [], v(4, 3), v(4, 2), v(2, 3, 2), v(2))
    g.case("bilinear", [], v(2, 2, 3), v(2, 2, 2), v(1, 3, 2))
    for equation, shapes in [("ij,jk->ik", [(2, 3), (3, 2)]), ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]), ("ij->ji", [(2, 3)]), ("ii->i", [(3, 3)]), ("ii", [(3, 3)]), ("ij->", [(2, 3)]),
                             ("i,j->ij", [(2,), (3,)]), ("...ij,...jk->...ik", [(2, 1, 2, 3), (2, 3, 2)]), ("ab,bc,cd->ad", [(2, 3), (3, 2), (2, 2)]), ("bn,anm,bm->ba", [(2, 3), (2, 3, 2), (2, 2)]),
                             ("ij,ij->ij", [(2, 3), (2, 3)]), ("ij,j", [(2, 3), (3,)]), ("ba", [(2, 3)]), ("iij->j", [(2, 2, 3)]), ("i,i->", [(3,), (3,)]), ("aB,Bc", [(2, 3), (3, 2)]),
                             ("...a->a...", [(2, 3)]), ("bhqd,bhkd->bhqk", [(1, 2, 2, 3), (1, 2, 3, 3)])]:
        g.case("einsum", [equation], *(v(*s) for s in shapes))
    g.case("einsum", ["ij,jk->ik"], v(2, 3, dtype=S), v(3, 2, dtype=S))
    g.case("tensordot", [2], v(2, 3, 2), v(3, 2, 2))
    g.case("tensordot", [0], v(2), v(3))
    g.case("tensordot", [[0, 2], [1, 0]], v(2, 2, 3), v(3, 2, 2))
    for a, b in [((2, 2), (2, 3)), ((2,), (2, 2)), ((1, 2, 1), (3,))]:
        g.case("kron", [], v(*a), v(*b))
    g.case("cross", [-1], v(2, 3), v(2, 3))
    g.case("cross", [0], v(3, 2), v(3, 1))
    g.case("trace", [], v(3, 3))
    g.case("trace", [], v(2, 4))
    g.case("trace", [], whole(3, 2))
    for n in (0, 1, 2, 3, 5, -1, -2):
        g.case("matrix_power", [n], regular(), wanted=[] if n == 0 else None)
    g.case("matrix_power", [3], v(2, 2, 2))
    g.case("multi_dot", [], v(2, 3), v(3, 4), v(4, 2))
    g.case("multi_dot", [], v(3), v(3, 4), v(4, 2), v(2))
    g.case("multi_dot", [], v(2, 3), v(3, 2))
    for scale in (0.01, 1.0, 8.0):
        g.case("matrix_exp", [], v(3, 3) * scale, second=scale < 2)
    g.case("matrix_exp", [], v(2, 2, 2))
    g.case("matrix_exp", [], T.zeros(2, 2, dtype=D))
    g.case("matrix_exp", [], v(3, 3, dtype=S))
    for p in (2.0, 1.0, 3.0, 0.0, math.inf):
        g.case("cdist", [p], v(3, 2), v(2, 2), wanted=[] if p == 0 else None)
        g.case("dist", [p], v(2, 3), v(2, 3), wanted=[] if p == 0 else None, second=p != math.inf)
    g.case("cdist", [2.0], v(2, 2, 3), v(2, 3))
    g.case("dist", [2.0], v(2, 3), v(3))


def equations():
    for batch in ((), (2,)):
        g.case("inv", [], regular(*batch))
        g.case("solve", [], regular(*batch), v(*batch, 3, 2))
        g.case("det", [], regular(*batch))
        g.case("slogdet", [], regular(*batch))
        g.case("logdet", [], positive(*batch))
        g.case("lu_factor", [], v(*batch, 3, 3))
        g.case("lu_solve", [], regular(*batch), v(*batch, 3, 2))
        for upper in (0, 1):
            g.case("cholesky", [upper], positive(*batch))
            f = L.cholesky(positive(*batch), upper=bool(upper))
            g.case("cholesky_solve", [upper], v(*batch, 3, 2), f)
            g.case("cholesky_inverse", [upper], f)
            for left in (0, 1):
                for unit in (0, 1):
                    shape = (3, 2) if left else (2, 3)
                    g.case("solve_triangular", [upper, left, unit], regular(*batch).triu() if upper else regular(*batch).tril(), v(*batch, *shape))
    g.case("solve", [], regular(), v(3))
    g.case("solve", [], regular(2), v(2, 3))
    g.case("solve", [], regular(2), v(3, 2))
    g.case("det", [], T.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=D), wanted=[])  # singular: PyTorch's gradient has become 0, the derivative is the adjugate
    g.case("slogdet", [], T.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=D), wanted=[])
    g.case("logdet", [], T.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=D), wanted=[])
    g.case("det", [], T.zeros(0, 0, dtype=D), wanted=[])
    for op in ("inv", "det", "slogdet", "qr", "svd", "svdvals", "pinv", "cond", "matrix_rank"):
        g.case(op, [0] if op == "qr" else [], regular().to(S))
    g.case("solve", [], regular().to(S), v(3, 2, dtype=S))
    g.case("cholesky", [0], positive().to(S))
    g.case("eigh", [0], positive().to(S))


def decompositions():
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 3)):
        x = v(*shape) + T.eye(*shape[-2:], dtype=D) * T.arange(2.0, 2.0 + shape[-1], dtype=D)
        g.case("qr", [0], x)
        if shape[-2] <= shape[-1]:
            g.case("qr", [1], x)
        else:
            g.case("qr", [1], x, wanted=[])
        g.case("svd", [], x)
        g.case("svdvals", [], x)
        g.case("pinv", [], x)
        g.case("pinv", [1e-3], x)
        g.case("cond", [], x)
        g.case("matrix_rank", [], x, wanted=[])
        for k in range(8):
            g.case("matrix_norm", [k, 0], x)
    g.case("matrix_norm", [0, 1], v(2, 2, 3))
    g.case("matrix_norm", [2, 1], v(2, 2, 3))
    g.case("matrix_rank", [], T.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=D), wanted=[])
    g.case("matrix_rank", [0.5], T.tensor([[[1.0, 0.0], [0.0, 0.25]], [[0.0, 0.0], [0.0, 0.0]]], dtype=D), wanted=[])
    g.case("pinv", [], T.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=D), wanted=[])
    for upper in (0, 1):
        for batch in ((), (2,)):
            x = symmetric(regular(*batch))
            g.case("eigh", [upper], x)
            g.case("eigvalsh", [upper], x)
        lopsided = regular()
        g.case("eigvalsh", [upper], lopsided, wanted=[])
        g.case("eigh", [upper], lopsided, wanted=[])
    g.case("lstsq", [], v(4, 2), v(4, 3))
    g.case("lstsq", [], v(2, 4), v(2, 3))
    g.case("lstsq", [], v(2, 4, 2), v(2, 4, 1))
    g.case("householder_product", [], v(4, 2), v(2))
    g.case("householder_product", [], v(2, 3, 3), v(2, 3))


products()
equations()
decompositions()
g.write("test/ops/linalg_goldens.txt")
