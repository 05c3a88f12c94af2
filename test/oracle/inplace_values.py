"""Golden values for test/autograd/inplace.cpp. Run with a Python that has torch."""
import torch


def show(name, *tensors):
    print(name, *[t.flatten().tolist() for t in tensors])


x = torch.arange(1.0, 7).reshape(2, 3).requires_grad_(); b = x * 2; b[0].mul_(3); (b * b).sum().backward(); show("row", b, x.grad)
x = torch.arange(1.0, 7).reshape(2, 3).requires_grad_(); b = x * 2; v = b[:, 1]; b.mul_(3); (v * v).sum().backward(); show("view before", v, x.grad)
x = torch.arange(1.0, 5).requires_grad_(); b = x * 1; a = b[:3]; c = b[1:]; a.mul_(2); c.mul_(a.detach().clone()); (b * b).sum().backward(); show("overlap", b, a, x.grad)
x = torch.arange(1.0, 7).reshape(2, 3).requires_grad_(); w = torch.tensor([10.0, 20.0, 30.0], requires_grad=True)
b = x * x; b[1].copy_(w); (b * b * b).sum().backward(); show("copy", x.grad, w.grad)
x = torch.arange(1.0, 7).reshape(2, 3).requires_grad_(); b = x * 2; b.t()[1:].select(1, 0).add_(5); (b**3).sum().backward(); show("view of view", b, x.grad)
b = torch.zeros(4); w = torch.tensor([1.0, 2.0], requires_grad=True); b[1:3] = w * w; (b * b).sum().backward(); show("constant base", b, w.grad)
x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True); b = x * x; b[1:].mul_(x[:2]); y = (b * b).sum()
(g,) = torch.autograd.grad(y, x, create_graph=True); (gg,) = torch.autograd.grad((g * g).sum(), x); show("double", g, gg)
x = torch.arange(1.0, 5).requires_grad_(); b = x * 3; b[2:].zero_(); (b * torch.arange(4.0)).sum().backward(); show("zero", x.grad)
x = torch.tensor([2.0], requires_grad=True); b = x.expand(3).clone(); b[1] = 7; (b * b).sum().backward(); show("expand", x.grad)
