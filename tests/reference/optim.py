"""PyTorch's optimizers, clipping and schedules, computed in float64, for tests/optim.

    python optim.py          (PyTorch 2.15, h5py) writes optim.h5 beside itself

`start` holds two parameters, `gradients` ten gradients of each; each optimizer's group the parameters after
the first and after the tenth; groups that end in "late" are of a bias that has gradients only from the fifth step on.
"""

import inspect
import os

import numpy as np
import torch
from schedule import get_lr
from store import floats, open_to_write, put, put_arrays

torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(40)
file = open_to_write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "optim.h5"))


def rand(*shape, scale=1.0):
    return torch.from_numpy(rng.normal(0, scale, shape).astype(np.float32).astype(np.float64))


start = {"weight": rand(5, 7), "bias": rand(7)}
# From large to tiny, with a step of zeros, as training has them.
gradients = [{k: rand(*p.shape, scale=s) for k, p in start.items()} for s in (3, 1, 0, 0.3, 1, 1e-2, 1e-4, 1e-9, 1, 0.1)]
put_arrays(file.create_group("start"), floats(start))
for k in start:
    put(file.require_group("gradients"), k, torch.stack([g[k] for g in gradients]).float().numpy())


def run(name, make, bias_from=0):
    parameters = {k: p.clone().requires_grad_() for k, p in start.items()}
    optimizer = make(list(parameters.values()))
    for step, gradient in enumerate(gradients):
        for k, p in parameters.items():
            p.grad = gradient[k].clone() if k == "weight" or step >= bias_from else None
        optimizer.step()
        if step in (0, 9):
            put_arrays(file.require_group(name).create_group("first" if step == 0 else "tenth"), floats(parameters))


run("AdamW", lambda p: torch.optim.AdamW(p))
run("AdamW nanoGPT", lambda p: torch.optim.AdamW(p, lr=1e-2, betas=(0.9, 0.99), weight_decay=0.1))
run("AdamW groups", lambda p: torch.optim.AdamW([{"params": p[:1], "weight_decay": 0.1}, {"params": p[1:], "weight_decay": 0.0}], lr=1e-2))
run("Adam", lambda p: torch.optim.Adam(p))
run("Adam with decay", lambda p: torch.optim.Adam(p, lr=1e-2, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1))
run("SGD", lambda p: torch.optim.SGD(p, lr=1e-2))
run("SGD with decay", lambda p: torch.optim.SGD(p, lr=1e-2, weight_decay=0.1))
run("SGD with momentum", lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9, weight_decay=0.1))
run("SGD with Nesterov", lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9, nesterov=True))



def step_of(update):
    """An optimizer made of one function of (parameter, gradient, state of the parameter, step from 1)."""

    class Own(torch.optim.Optimizer):
        def __init__(self, parameters):
            super().__init__(parameters, {})
            self.t = 0

        @torch.no_grad()
        def step(self):
            self.t += 1
            for p in self.param_groups[0]["params"]:
                update(p, p.grad, self.state[p], self.t)

    return Own


def lion(lr, beta1, beta2, weight_decay):
    """Chen et al. 2023, algorithm 2."""

    def update(p, g, state, t):
        m = state.setdefault("m", torch.zeros_like(p))
        p -= lr * (torch.sign(beta1 * m + (1 - beta1) * g) + weight_decay * p)
        state["m"] = beta2 * m + (1 - beta2) * g

    return step_of(update)


run("Lion", lion(1e-4, 0.9, 0.99, 0.0))
run("Lion with decay", lion(1e-2, 0.8, 0.95, 0.3))
run("Adafactor", lambda p: torch.optim.Adafactor(p, eps=(1e-7, 1e-3)))
run("Adafactor with decay", lambda p: torch.optim.Adafactor(p, lr=0.3, beta2_decay=-0.6, eps=(1e-4, 1e-2), d=1.5, weight_decay=0.1))

# PyTorch's Muon in float64: its Newton-Schulz steps go through bfloat16, which is put back here.
source = inspect.getsource(torch.optim._muon._zeropower_via_newtonschulz).replace("dtype=torch.bfloat16", "dtype=grad.dtype")
exec(source, torch.optim._muon.__dict__)


class Muon:
    """torch.optim.Muon for the matrix, AdamW for the vector."""

    def __init__(self, parameters, **options):
        self.parts = [torch.optim.Muon(parameters[:1], **options), torch.optim.AdamW(parameters[1:], lr=options["lr"], weight_decay=options["weight_decay"])]

    def step(self):
        for part in self.parts:
            part.step()


run("Muon", lambda p: Muon(p, lr=1e-2, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"))
run("Muon original", lambda p: Muon(p, lr=1e-2, weight_decay=0.0, momentum=0.8, nesterov=False, ns_steps=3, adjust_lr_fn="original"))
run("AdamW late", lambda p: torch.optim.AdamW(p), bias_from=4)
run("Adam late", lambda p: torch.optim.Adam(p), bias_from=4)
run("Adafactor late", lambda p: torch.optim.Adafactor(p, eps=(1e-7, 1e-3)), bias_from=4)
run("Muon late", lambda p: Muon(p, lr=1e-2, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"), bias_from=4)
wide = torch.from_numpy(np.random.default_rng(41).normal(0, 1, (4, 9)))
muon = file.create_group("orthogonalized")
for name, matrix in [("wide", wide), ("tall", wide.T)]:
    put(muon, name, matrix.contiguous().numpy())
    put(muon, name + " result", torch.optim._muon._zeropower_via_newtonschulz(matrix, (3.4445, -4.775, 2.0315), 5, 1e-7).contiguous().numpy())

parameters = {k: p.clone() for k, p in start.items()}
average = torch.optim.swa_utils.AveragedModel(torch.nn.ParameterDict(parameters), multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
for gradient in gradients:
    for k, p in average.module.items():
        parameters[k] -= 0.1 * gradient[k]
    average.update_parameters(torch.nn.ParameterDict(parameters))
put_arrays(file.create_group("EMA"), floats(dict(average.module.items())))

for name, limit in [("clipped", 1.0), ("not clipped", 1e3)]:
    parameters = {k: p.clone().requires_grad_() for k, p in start.items()}
    for k, p in parameters.items():
        p.grad = gradients[0][k].clone()
    norm = torch.nn.utils.clip_grad_norm_(parameters.values(), limit)
    group = file.create_group(name)
    put_arrays(group.create_group("gradients"), floats({k: p.grad for k, p in parameters.items()}))
    put(group, "norm", norm.numpy())



def torch_schedule(make, steps):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-3)
    scheduler = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return np.array(rates)


schedules = file.create_group("schedules")
put(schedules, "cosine", np.array([get_lr(k) for k in range(120)]))
put(schedules, "inverse_square_root", np.array([512**-0.5 * min(k**-0.5, k * 40**-1.5) for k in range(1, 121)]))
put(schedules, "one_cycle", torch_schedule(lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 1e-3, total_steps=100), 99))
file.close()
