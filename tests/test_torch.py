"""The rules as a torch optimizer: same steps as torch, and everything torch's users expect of an optimizer."""

import copy
import io
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

import lrlib.torch
from lrlib import optimizers, schedules
from lrlib.optimizers import (
    LAMB,
    LARS,
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    AdaMax,
    AdamW,
    Lion,
    Muon,
    NAdam,
    Prodigy,
    RAdam,
    RMSProp,
    Rprop,
    ScheduleFree,
    Shampoo,
)

RULES = {
    "sgd": SGD(0.05),
    "momentum": SGD(0.02, momentum=0.9, dampening=0.2, weight_decay=0.01),
    "nesterov": SGD(0.02, momentum=0.9, nesterov=True),
    "adagrad": Adagrad(0.1, lr_decay=0.01),
    "rmsprop": RMSProp(0.01, momentum=0.5, centered=True),
    "adadelta": Adadelta(1.0),
    "adam": Adam(0.01, weight_decay=0.1),
    "amsgrad": Adam(0.01, amsgrad=True),
    "adamw": AdamW(0.01),
    "adamax": AdaMax(0.01),
    "nadam": NAdam(0.01),
    "radam": RAdam(0.01),
    "rprop": Rprop(0.01),
    "lion": Lion(0.001),
    "lars": LARS(0.5),
    "lamb": LAMB(0.01),
    "adafactor": Adafactor(0.05),
    "muon": Muon(0.02),
    "shampoo": Shampoo(0.05),
    "schedule_free_sgd": ScheduleFree(0.1),
    "schedule_free_adamw": ScheduleFree(0.01, beta2=0.99),
    "prodigy": Prodigy(),
}

T = torch.optim
#: What compiles needs a C++ compiler; under CI it must be there.
compiles = pytest.mark.skipif(
    not shutil.which("g++") and not os.environ.get("CI"), reason="no C++ compiler: apt-get install g++"
)

TWINS = {
    "sgd": (SGD(0.1), lambda p: T.SGD(p, 0.1)),
    "momentum": (
        SGD(0.1, momentum=0.9, dampening=0.2, weight_decay=0.01),
        lambda p: T.SGD(p, 0.1, momentum=0.9, dampening=0.2, weight_decay=0.01),
    ),
    "nesterov": (
        SGD(0.02, momentum=0.9, nesterov=True),
        lambda p: T.SGD(p, 0.02, momentum=0.9, nesterov=True),
    ),
    "adagrad": (
        Adagrad(0.1, lr_decay=0.01, weight_decay=0.01, initial_accumulator_value=0.1),
        lambda p: T.Adagrad(p, 0.1, lr_decay=0.01, weight_decay=0.01, initial_accumulator_value=0.1),
    ),
    "rmsprop": (RMSProp(0.01), lambda p: T.RMSprop(p, 0.01)),
    "rmsprop_centered": (
        RMSProp(0.01, momentum=0.5, centered=True, weight_decay=0.1, alpha=0.9),
        lambda p: T.RMSprop(p, 0.01, momentum=0.5, centered=True, weight_decay=0.1, alpha=0.9),
    ),
    "adadelta": (
        Adadelta(1.0, rho=0.8, weight_decay=0.01),
        lambda p: T.Adadelta(p, 1.0, rho=0.8, weight_decay=0.01),
    ),
    "adam": (Adam(0.01, weight_decay=0.1), lambda p: T.Adam(p, 0.01, weight_decay=0.1)),
    "amsgrad": (Adam(0.01, amsgrad=True), lambda p: T.Adam(p, 0.01, amsgrad=True)),
    "adamw": (AdamW(0.01, weight_decay=0.1), lambda p: T.AdamW(p, 0.01, weight_decay=0.1)),
    "adamax": (AdaMax(0.01, weight_decay=0.1), lambda p: T.Adamax(p, 0.01, weight_decay=0.1)),
    "radam": (RAdam(0.01, weight_decay=0.1), lambda p: T.RAdam(p, 0.01, weight_decay=0.1)),
    "radam_decoupled": (
        RAdam(0.01, weight_decay=0.1, decoupled_weight_decay=True),
        lambda p: T.RAdam(p, 0.01, weight_decay=0.1, decoupled_weight_decay=True),
    ),
    "rprop": (
        Rprop(0.01, eta_minus=0.4, eta_plus=1.3),
        lambda p: T.Rprop(p, 0.01, etas=(0.4, 1.3)),
    ),
    "nadam": (NAdam(0.01, weight_decay=0.1), lambda p: T.NAdam(p, 0.01, weight_decay=0.1)),
    "nadam_decoupled": (
        NAdam(0.01, weight_decay=0.1, decoupled_weight_decay=True, momentum_decay=0.01),
        lambda p: T.NAdam(p, 0.01, weight_decay=0.1, decoupled_weight_decay=True, momentum_decay=0.01),
    ),
    "adafactor": (Adafactor(0.05, weight_decay=0.1), lambda p: T.Adafactor(p, 0.05, weight_decay=0.1)),
}


def network(dtype=torch.float64):
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).to(dtype)


def data(dtype):
    x = torch.sin(torch.arange(64, dtype=dtype) ** 2).reshape(16, 4)
    return x, x.sum(1, keepdim=True).sin()


def loss_of(net):
    x, y = data(next(net.parameters()).dtype)
    return ((net(x) - y) ** 2).mean()


def flat(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def train(net, optimizer, steps, scheduler=None):
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(net)
        loss.backward()
        optimizer.step()
        if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            scheduler.step(loss.item())
        elif scheduler:
            scheduler.step()
    return flat(net)


@pytest.fixture
def double_precision():
    """torch's NAdam keeps a product in the default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", TWINS)
def test_trains_a_network_as_torch_does(name, double_precision):
    rule, twin = TWINS[name]
    net, other = network(), network()
    ours = train(net, lrlib.torch.Optimizer(net.parameters(), rule), 50)  # later some of them magnify rounding
    theirs = train(other, twin(other.parameters()), 50)
    assert (ours - theirs).abs().max() < 1e-12


def test_muon_trains_matrices_as_torch_does_in_half_precision():
    net, other = network(torch.float32), network(torch.float32)

    def matrices(n):
        return [p for p in n.parameters() if p.ndim == 2]

    ours = train(net, lrlib.torch.Optimizer(matrices(net), Muon(0.02)), 5)
    theirs = train(other, T.Muon(matrices(other), 0.02), 5)
    assert (ours - theirs).abs().max() < 1e-2 < (ours - flat(network(torch.float32))).abs().max()


def test_every_rule_of_the_library_is_tried_here():
    rules = {value for value in vars(optimizers).values() if isinstance(value, type)} - {optimizers.Optimizer}
    assert {type(rule) for rule in RULES.values()} == {r for r in rules if issubclass(r, optimizers.Optimizer)}


def by_hand(rule, net, steps):
    """The pure rule, called without the bridge: one call for each parameter, in the shape that the rule wants."""

    def seen(p):
        return p.reshape(len(p), -1) if rule.core == 2 else p.reshape(-1)

    params = list(net.parameters())
    lots = [params] if rule.whole else [[p] for p in params]
    states = [rule.init(torch.cat([seen(p.detach()) for p in lot])) for lot in lots]
    for t in range(1, steps + 1):
        net.zero_grad()
        loss_of(net).backward()
        for i, lot in enumerate(lots):
            x, g = (torch.cat([seen(v.detach().clone()) for v in vs]) for vs in (lot, [p.grad for p in lot]))
            x, states[i] = rule.update(x, g, states[i], t=t, lr=rule.rate(t))
            with torch.no_grad():
                for p, share in zip(lot, x.flatten().split([p.numel() for p in lot]), strict=True):
                    p.copy_(share.view_as(p))
    return flat(net)


@pytest.mark.parametrize("name", RULES)
def test_the_bridge_takes_the_steps_of_the_pure_rule(name):
    net, other = network(), network()
    ours = train(net, lrlib.torch.Optimizer(net.parameters(), RULES[name]), 30)
    assert (ours - by_hand(RULES[name], other, 30)).abs().max() < 1e-13


@pytest.mark.parametrize("name", ["adam", "schedule_free_sgd", "lamb"])
@pytest.mark.parametrize("sizes", [(1, 2**18 + 5), (2**14 - 1, 2**14, 2**14 + 1, 3)])
def test_tensors_gathered_cut_or_whole_take_the_same_steps(name, sizes):
    torch.manual_seed(0)
    params = [torch.randn(size, dtype=torch.float64).requires_grad_() for size in sizes]
    x, rule = [p.detach().clone() for p in params], RULES[name]
    states, optimizer = [rule.init(value) for value in x], lrlib.torch.Optimizer(params, rule)
    for t in range(1, 4):
        for i, p in enumerate(params):
            p.grad = torch.cos(p.detach() * (i + 1))
            x[i], states[i] = rule.update(x[i], p.grad, states[i], t=t, lr=rule.lr)
        optimizer.step()
        assert all(torch.allclose(p, value, rtol=1e-13, atol=0) for p, value in zip(params, x, strict=True))
        assert all(
            torch.allclose(optimizer.state[p][key], value, rtol=1e-13, atol=1e-300)
            for p, state in zip(params, states, strict=True)
            for key, value in state.items()
        )


@dataclass(frozen=True, eq=False)
class FromTheStart(optimizers.Optimizer):
    """A rule whose state begins with x itself: it steps by the distance from there."""

    not_negative = ("lr",)
    lr: float = 0.5

    def init(self, x):
        return {"start": x}

    def update(self, x, g, state, *, t, lr):
        return x - lr * g * (1 + abs(x - state["start"])), state


def test_a_rule_may_begin_with_x_itself():
    p = torch.ones(1, requires_grad=True)
    optimizer = lrlib.torch.Optimizer([p], FromTheStart())
    for expected in (0.5, -0.25):
        p.grad = torch.ones(1)
        optimizer.step()
        assert p.item() == expected


def saved_and_loaded(optimizer):
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("save", [lambda o: copy.deepcopy(o.state_dict()), saved_and_loaded])
@pytest.mark.parametrize("name", RULES)
def test_a_saved_run_resumes_bit_for_bit(name, save):
    rule = RULES[name]
    whole = network(torch.float32)
    expected = train(whole, lrlib.torch.Optimizer(whole.parameters(), rule), 30)
    net = network(torch.float32)
    first = lrlib.torch.Optimizer(net.parameters(), rule)
    train(net, first, 13)
    second = lrlib.torch.Optimizer(net.parameters(), rule)
    second.load_state_dict(save(first))
    assert torch.equal(train(net, second, 17), expected)


@pytest.mark.parametrize("name", RULES)
def test_the_state_is_saved_for_each_parameter_in_its_shape_and_dtype(name):
    net = network(torch.float32)
    optimizer = lrlib.torch.Optimizer(net.parameters(), RULES[name])
    train(net, optimizer, 2)
    for p, entry in zip(net.parameters(), optimizer.state_dict()["state"].values(), strict=True):
        assert entry.pop("t") == 2
        assert all(value.dtype == torch.float32 for value in entry.values())
        if RULES[name].core < 2 and not RULES[name].whole:
            assert all(value.shape == p.shape for value in entry.values())


@pytest.mark.parametrize("name", RULES)
def test_a_copied_or_pickled_optimizer_goes_on_with_its_own_parameters(name):
    net = network(torch.float32)
    optimizer = lrlib.torch.Optimizer(net.parameters(), RULES[name])
    train(net, optimizer, 3)
    copies = [copy.deepcopy((net, optimizer)), pickle.loads(pickle.dumps((net, optimizer)))]
    expected = train(net, optimizer, 3)
    assert all(torch.equal(train(*pair, 3), expected) for pair in copies)


@pytest.mark.parametrize("name", RULES)
def test_a_run_goes_on_after_the_model_changed_its_dtype(name):
    net = network(torch.float32)
    optimizer = lrlib.torch.Optimizer(net.parameters(), RULES[name])
    train(net, optimizer, 2)
    before = {p: {k: copy.copy(v) for k, v in entry.items()} for p, entry in optimizer.state.items()}
    net.double()
    other = network(torch.float64)
    loaded = lrlib.torch.Optimizer(other.parameters(), RULES[name])
    loaded.load_state_dict(optimizer.state_dict())
    other.load_state_dict(net.state_dict())
    assert torch.equal(train(net, optimizer, 2), train(other, loaded, 2))
    for p, entry in optimizer.state.items():
        assert entry.pop("t") == 4 and before[p].pop("t") == 2
        assert all(value.dtype == torch.float64 for value in entry.values())
        assert all(value.dtype == torch.float32 for value in before[p].values())


TORCH_SCHEDULERS = {
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t)),
    "MultiplicativeLR": lambda o: lr_scheduler.MultiplicativeLR(o, lambda t: 0.9),
    "StepLR": lambda o: lr_scheduler.StepLR(o, 5, 0.5),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [3, 9], 0.5),
    "ConstantLR": lambda o: lr_scheduler.ConstantLR(o, 0.3, 5),
    "LinearLR": lambda o: lr_scheduler.LinearLR(o, 0.3, 1.0, 5),
    "ExponentialLR": lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, 10),
    "CosineAnnealingWarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4),
    "PolynomialLR": lambda o: lr_scheduler.PolynomialLR(o, 15, 2.0),
    "ReduceLROnPlateau": lambda o: lr_scheduler.ReduceLROnPlateau(o, patience=1, threshold=0.5),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, 5, cycle_momentum=True),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, 0.05, 25),
    "SequentialLR": lambda o: lr_scheduler.SequentialLR(
        o, [lr_scheduler.ConstantLR(o, 0.1, 5), lr_scheduler.ExponentialLR(o, 0.9)], [5]
    ),
    "ChainedScheduler": lambda o: lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(o, 0.1, 5), lr_scheduler.ExponentialLR(o, 0.9)]
    ),
}
DRIVEN = {
    "sgd": (SGD(0.05, momentum=0.9), lambda p: T.SGD(p, 0.05, momentum=0.9)),
    "adam": (Adam(0.05), lambda p: T.Adam(p, 0.05)),
    "rmsprop": (RMSProp(0.05, momentum=0.5), lambda p: T.RMSprop(p, 0.05, momentum=0.5)),
}


@pytest.mark.parametrize("rule", DRIVEN)
@pytest.mark.parametrize("scheduler", TORCH_SCHEDULERS)
def test_torch_schedulers_drive_a_rule_as_they_drive_torch(scheduler, rule):
    runs = []
    for make in (lambda p: lrlib.torch.Optimizer(p, DRIVEN[rule][0]), DRIVEN[rule][1]):
        net = network()
        optimizer = make(net.parameters())
        runs.append(train(net, optimizer, 20, TORCH_SCHEDULERS[scheduler](optimizer)))
    assert (runs[0] - runs[1]).abs().max() < 1e-12


def test_all_schedulers_of_torch_are_tried():
    classes = {
        n for n, v in vars(lr_scheduler).items() if isinstance(v, type) and issubclass(v, lr_scheduler.LRScheduler)
    }
    assert classes - {"LRScheduler", "_LRScheduler"} == set(TORCH_SCHEDULERS)


def test_a_resumed_run_under_a_torch_scheduler_that_cycles_momentum_is_bit_for_bit_the_same():
    def begin(net):
        optimizer = lrlib.torch.Optimizer(net.parameters(), Adam(0.05))
        return optimizer, lr_scheduler.OneCycleLR(optimizer, 0.1, 40)

    whole, net = network(), network()
    expected = train(whole, *(lambda o, s: (o, 30, s))(*begin(whole)))
    first, first_scheduler = begin(net)
    train(net, first, 13, first_scheduler)
    second, second_scheduler = begin(net)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    second_scheduler.load_state_dict(first_scheduler.state_dict())
    assert torch.equal(train(net, second, 17, second_scheduler), expected)


LRLIB_SCHEDULES = [
    schedules.ExponentialDecay(0.1, 1, 0.9),
    schedules.Constant(0.03),
    lambda t: 0.1 / (1 + t),
]


@pytest.mark.parametrize("schedule", LRLIB_SCHEDULES)
def test_a_schedule_in_the_rule_equals_a_torch_scheduler(schedule):
    net, other = network(), network()
    ours = lrlib.torch.Optimizer(net.parameters(), SGD(schedule, momentum=0.9))
    theirs = T.SGD(other.parameters(), 1.0, momentum=0.9)
    scheduler = lr_scheduler.LambdaLR(theirs, lambda t: float(schedule(t)))
    assert (train(net, ours, 30) - train(other, theirs, 30, scheduler)).abs().max() < 1e-12
    assert ours.param_groups[0]["lr"] == pytest.approx(float(schedule(29)))


def test_any_hyper_parameter_may_be_a_schedule_that_passes_through_zero():
    momentum = [0.0, 0.5, 0.0, 0.9, 0.3]
    net, other = network(), network()
    ours = lrlib.torch.Optimizer(net.parameters(), SGD(0.1, momentum=lambda t: momentum[int(t)]))
    theirs = T.SGD(other.parameters(), 0.1, momentum=0.9)
    for value in momentum:
        train(net, ours, 1)
        theirs.param_groups[0]["momentum"] = value or 1e-300  # torch leaves its buffer alone at 0
        train(other, theirs, 1)
        assert (flat(net) - flat(other)).abs().max() < 1e-14


def test_groups_have_their_own_hyper_parameters_and_schedules():
    net, other = network(), network()

    def groups(n, **more):
        return [{"params": n[0].parameters(), "lr": 0.01, "betas": (0.5, 0.9)}, {"params": n[2].parameters()} | more]

    optimizer = lrlib.torch.Optimizer(groups(net, lr=lambda t: 0.1, beta1=0.8, weight_decay=0.5), Adam(0.2))
    ours = train(net, optimizer, 20)
    theirs = train(other, T.Adam(groups(other, lr=0.1, betas=(0.8, 0.999), weight_decay=0.5), 0.2), 20)
    assert (ours - theirs).abs().max() < 1e-12
    assert optimizer.param_groups[1]["betas"] == (0.8, 0.999)


def test_a_group_joins_later_and_counts_its_own_steps():
    def run(make):
        net = network()
        optimizer = make(net[0].parameters())
        train(net, optimizer, 5)
        optimizer.add_param_group({"params": net[2].parameters(), "lr": 0.05})
        return train(net, optimizer, 5)

    ours = run(lambda p: lrlib.torch.Optimizer(p, Adam(0.01)))
    assert (ours - run(lambda p: T.Adam(p, 0.01))).abs().max() < 1e-12


def test_a_hyper_parameter_may_be_changed_between_steps():
    def run(make):
        net = network()
        optimizer = make(net.parameters())
        train(net, optimizer, 5)
        optimizer.param_groups[0]["betas"] = (0.5, 0.9)
        optimizer.param_groups[0]["weight_decay"] = 0.1
        return train(net, optimizer, 5)

    ours = run(lambda p: lrlib.torch.Optimizer(p, Adam(0.01)))
    assert (ours - run(lambda p: T.Adam(p, 0.01))).abs().max() < 1e-12


def run_with_missing_gradients(optimizer_of, schedule):
    """Three parameters; `schedule` names those that have a gradient at each step."""
    params = [torch.full((3,), float(i + 1), dtype=torch.float64, requires_grad=True) for i in range(3)]
    optimizer = optimizer_of(params)
    for present in schedule:
        for i, p in enumerate(params):
            p.grad = (i + 2) * p.detach() if str(i) in present else None
        optimizer.step()
    return torch.cat(params).detach()


@pytest.mark.parametrize("schedule", [["01"] * 3 + ["012"] * 3, ["0", "1", "2", "01", "12", "02", "", "012"]])
def test_a_parameter_without_gradient_is_skipped_and_its_steps_are_not_counted(schedule):
    ours = run_with_missing_gradients(lambda p: lrlib.torch.Optimizer(p, Adam(0.1)), schedule)
    theirs = run_with_missing_gradients(lambda p: T.Adam(p, 0.1), schedule)
    assert (ours - theirs).abs().max() < 1e-14


def test_a_rule_that_is_whole_counts_its_own_steps_when_parameters_come_and_go():
    params = run_with_missing_gradients(lambda p: lrlib.torch.Optimizer(p, Prodigy()), ["01"] * 3 + ["012"] * 3 + ["2"])
    assert params.isfinite().all()


def test_storage_is_never_replaced_so_tied_weights_stay_tied():
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
    net[1].weight = net[0].weight
    where = [p.data_ptr() for p in net.parameters()]
    optimizer = lrlib.torch.Optimizer(net.parameters(), Adam(0.1))
    for _ in range(2):
        net(torch.ones(1, 4)).sum().backward()
        optimizer.step()
    assert net[1].weight is net[0].weight and [p.data_ptr() for p in net.parameters()] == where


def test_a_closure_gives_its_loss_back():
    p = torch.ones(2, requires_grad=True)
    optimizer = lrlib.torch.Optimizer([p], SGD(0.1))

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 2
    torch.testing.assert_close(p.detach(), torch.full((2,), 0.8))


@pytest.mark.parametrize("name", ["adam", "muon", "prodigy"])
def test_two_processes_take_the_steps_of_one_with_the_full_batch(name, tmp_path):
    x, y = data(torch.float64)
    net = network()
    torch.save({"net": net, "rule": RULES[name], "steps": 10, "x": x, "y": y}, tmp_path / "task")
    program = Path(__file__).with_name("ddp_process.py")
    processes = [subprocess.Popen([sys.executable, program, str(rank), tmp_path]) for rank in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    alone = train(net, lrlib.torch.Optimizer(net.parameters(), RULES[name]), 10)
    for rank in range(2):
        together = torch.cat([p.flatten() for p in torch.load(tmp_path / str(rank))])
        assert (together - alone).abs().max() < 1e-12


def test_hooks_are_called():
    p, seen = torch.ones(2, requires_grad=True), []
    optimizer = lrlib.torch.Optimizer([p], SGD(0.1))
    optimizer.register_step_pre_hook(lambda *_: seen.append("before"))
    optimizer.register_step_post_hook(lambda *_: seen.append("after"))
    optimizer.step()
    assert seen == ["before", "after"]


@pytest.mark.parametrize(
    "name, compile", [("adam", False), ("lamb", False), ("muon", False), pytest.param("adam", True, marks=compiles)]
)
def test_a_parameter_need_not_be_contiguous(name, compile):
    def run(turned):
        p = torch.arange(1.0, 7.0, dtype=torch.float64).reshape(2, 3)
        p = p.T.contiguous().T if turned else p
        p.requires_grad_()
        optimizer = lrlib.torch.Optimizer([p], RULES[name], compile=compile)
        for _ in range(3):
            p.grad = torch.cos(p.detach())
            optimizer.step()
        assert p.is_contiguous() is not turned
        return p.detach()

    torch.testing.assert_close(run(True), run(False), rtol=1e-13, atol=0)


@pytest.mark.parametrize("compile", [False, pytest.param(True, marks=compiles)])
def test_a_gradient_need_not_be_contiguous(compile):
    def run(strided):
        p = torch.arange(5.0, dtype=torch.float64, requires_grad=True)
        optimizer = lrlib.torch.Optimizer([p], RULES["adam"], compile=compile)
        for contiguous in (True, not strided):  # a loop that was compiled for the one meets the other
            g = torch.cos(p.detach())
            p.grad = g if contiguous else torch.stack([g, -g], -1)[:, 0]
            assert p.grad.is_contiguous() is contiguous
            optimizer.step()
        return p.detach()

    torch.testing.assert_close(run(True), run(False), rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", [name for name in RULES if name != "prodigy"])
def test_parameters_of_any_shape_and_dtype_may_be_mixed(name):
    shapes = [(), (1,), (0,), (5,), (2, 3), (2, 3, 2), (0, 2), (1, 1)]
    dtypes = [torch.float32, torch.float64]
    params = [torch.full(s, 0.5, dtype=d, requires_grad=True) for s in shapes for d in dtypes]
    optimizer = lrlib.torch.Optimizer(params, RULES[name])
    for _ in range(2):
        for p in params:
            p.grad = 0.5 * torch.ones_like(p)
        optimizer.step()
    for i, p in enumerate(params):
        assert p.shape == shapes[i // 2] and p.dtype == dtypes[i % 2]
        assert p.isfinite().all() and (p != 0.5).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_parameters_are_trained_in_half_precision(dtype):
    p = torch.ones(4, dtype=dtype, requires_grad=True)
    optimizer = lrlib.torch.Optimizer([p], SGD(0.5, momentum=0.5))
    p.grad = torch.ones_like(p)
    optimizer.step()
    assert p.tolist() == [0.5] * 4 and optimizer.state[p]["v"].dtype == dtype


@pytest.mark.parametrize("reset", ["clear", "replace", "entry"])
def test_a_state_that_is_thrown_away_begins_anew(reset):
    net = network()
    optimizer = lrlib.torch.Optimizer(net.parameters(), Adam(0.01))
    train(net, optimizer, 3)
    other = copy.deepcopy(net)
    fresh = lrlib.torch.Optimizer(other.parameters(), Adam(0.01))
    if reset == "clear":
        optimizer.state.clear()
    elif reset == "replace":
        optimizer.state = type(optimizer.state)(dict)
    else:
        for p in net.parameters():
            optimizer.state[p] = {}
    assert torch.equal(train(net, optimizer, 3), train(other, fresh, 3))


def test_grad_scaler_skips_a_step_with_infinite_gradients():
    p = torch.ones(1, requires_grad=True)
    optimizer, scaler = lrlib.torch.Optimizer([p], SGD(0.5)), torch.amp.GradScaler("cpu", init_scale=4.0)
    for factor, expected in ((1.0, 0.5), (float("inf"), 0.5)):
        optimizer.zero_grad()
        scaler.scale((p * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        assert p.item() == expected
    assert optimizer.state[p]["t"] == 1 and scaler.get_scale() == 2.0


def test_evaluated_shows_the_average_of_schedule_free_and_puts_everything_back():
    net = network()
    optimizer = lrlib.torch.Optimizer(net.parameters(), ScheduleFree(0.1))
    with optimizer.evaluated():  # before the first step the two are one
        assert torch.equal(flat(net), flat(network()))
    train(net, optimizer, 10)
    before = flat(net)
    with optimizer.evaluated():
        assert all(torch.equal(p, optimizer.state[p]["x"]) for p in net.parameters())
        assert not torch.equal(flat(net), before)
        assert loss_of(net).requires_grad
    assert torch.equal(flat(net), before)
    with pytest.raises(KeyError), optimizer.evaluated():
        raise KeyError
    assert torch.equal(flat(net), before)


def test_evaluated_is_no_place_to_train_or_to_enter_twice():
    optimizer = lrlib.torch.Optimizer([torch.ones(1, requires_grad=True)], Adam())
    with optimizer.evaluated():
        with pytest.raises(RuntimeError, match=r"step must not be called inside evaluated\(\)"):
            optimizer.step()
        with pytest.raises(RuntimeError, match=r"evaluated\(\) must not be entered twice"), optimizer.evaluated():
            pass
    optimizer.step()


@pytest.fixture
def compilations(monkeypatch):
    """A list that grows by one whenever inductor compiles a graph."""
    done, compile = [], torch._inductor.compile

    def counted(*args, **options):
        done.append(args)
        return compile(*args, **options)

    monkeypatch.setattr(torch._inductor, "compile", counted)
    return done


@compiles
@pytest.mark.parametrize("name", [n if n == "adam" else pytest.param(n, marks=pytest.mark.slow) for n in RULES])
def test_compiled_steps_equal_eager_ones(name):
    def run(compile):
        net = network()
        optimizer = lrlib.torch.Optimizer(net.parameters(), RULES[name], compile=compile)
        return train(net, optimizer, 10)

    torch.testing.assert_close(run(True), run(False), rtol=1e-9, atol=1e-12)


@compiles
@pytest.mark.parametrize("name", ["adam", "lamb"])
def test_a_step_is_compiled_once_whatever_the_rate(name, compilations):
    net, rule = network(), RULES[name]
    optimizer = lrlib.torch.Optimizer(net.parameters(), rule, compile=True)
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.9)
    train(net, optimizer, 1)
    once = len(compilations)  # the numbers and the loop, of all small tensors together or of vectors of three lengths
    assert once == (2 if rule.core == 0 else 6)
    train(net, optimizer, 10, scheduler)
    assert len(compilations) == once


@compiles
def test_a_momentum_that_cycles_is_compiled_once_more_and_not_at_each_step(compilations):
    net = network()
    optimizer = lrlib.torch.Optimizer(net.parameters(), Adam(0.01), compile=True)
    train(net, optimizer, 3)
    scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, 40)
    train(net, optimizer, 10, scheduler)
    assert len(compilations) == 4


@compiles
def test_missing_gradients_do_not_compile_each_step_anew(compilations):
    params = [torch.ones(8, requires_grad=True) for _ in range(8)]
    optimizer = lrlib.torch.Optimizer(params, SGD(0.1), compile=True)
    for present in range(2, 9):
        for i, p in enumerate(params):
            p.grad = torch.ones_like(p) if i >= 8 - present else None
        optimizer.step()
        for p in params:
            optimizer.state[p]["t"] = 0  # with one step count they stay together
    assert len(compilations) == 6  # vectors of 16, 32 and 64 elements


def test_what_is_wrong_is_named():
    p = torch.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match=r"rule must be an lrlib optimizer, got 0\.1"):
        lrlib.torch.Optimizer([p], 0.1)
    with pytest.raises(TypeError, match=r"beta1 must be a number or a schedule, got an array of shape \(2,\)"):
        lrlib.torch.Optimizer([p], Adam(beta1=np.array([0.5, 0.9])))
    with pytest.raises(ValueError, match=r"beta1 must lie in \[0, 1\), got 2"):
        lrlib.torch.Optimizer([{"params": p, "betas": (2.0, 0.9)}], Adam())
    with pytest.raises(TypeError, match=r"parameters must be real floating-point tensors, got torch\.complex64"):
        lrlib.torch.Optimizer([torch.ones(2, dtype=torch.complex64, requires_grad=True)], Adam())
    optimizer = lrlib.torch.Optimizer([p], Adam())
    p.grad = torch.ones(2).to_sparse()
    with pytest.raises(TypeError, match=r"gradients must be dense, got torch\.sparse_coo"):
        optimizer.step()
    p.grad = torch.ones(2)
    optimizer.param_groups[0]["betas"] = (0.9, 1.5)
    with pytest.raises(ValueError, match=r"beta2 must lie in \[0, 1\), got 1\.5"):
        optimizer.step()


def test_a_group_that_is_refused_leaves_the_optimizer_as_it_was():
    p = torch.ones(2, requires_grad=True)
    optimizer = lrlib.torch.Optimizer([p], SGD(0.5))
    with pytest.raises(TypeError, match=r"got torch\.int64"):
        optimizer.add_param_group({"params": [torch.ones(2, dtype=torch.int64)]})
    p.grad = torch.ones(2)
    optimizer.step()
    assert len(optimizer.param_groups) == 1 and p.tolist() == [0.5, 0.5]


def test_a_rule_that_is_whole_refuses_a_group_of_several_dtypes():
    params = [torch.ones(2, dtype=d, requires_grad=True) for d in (torch.float32, torch.float64)]
    for p in params:
        p.grad = torch.ones_like(p)
    with pytest.raises(ValueError, match=r"Prodigy measures .* got torch\.float32 on cpu, torch\.float64 on cpu"):
        lrlib.torch.Optimizer(params, Prodigy()).step()


def test_a_state_of_another_shape_is_refused():
    p, q = torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)
    first, second = lrlib.torch.Optimizer([p], Adam()), lrlib.torch.Optimizer([q], Adam())
    p.grad, q.grad = torch.ones(2), torch.ones(3)
    first.step()
    second.load_state_dict(first.state_dict())
    with pytest.raises(ValueError, match=r"m must have the shape \(3,\), got \(2,\)"):
        second.step()
