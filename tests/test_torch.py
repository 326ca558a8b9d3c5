"""The rules as a torch optimizer: same steps as torch, and everything torch's users expect of an optimizer."""

import copy

import pytest
import torch

import lrlib.torch
from lrlib import SGD, Adam, ExponentialDecay

TWINS = {
    "sgd": (SGD(0.1), lambda p: torch.optim.SGD(p, 0.1)),
    "momentum": (
        SGD(0.1, momentum=0.9, dampening=0.2, weight_decay=0.01),
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, dampening=0.2, weight_decay=0.01),
    ),
    "nesterov": (
        SGD(0.02, momentum=0.9, nesterov=True),
        lambda p: torch.optim.SGD(p, 0.02, momentum=0.9, nesterov=True),
    ),
    "adam": (Adam(0.01, weight_decay=0.1), lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.1)),
    "amsgrad": (Adam(0.01, amsgrad=True), lambda p: torch.optim.Adam(p, 0.01, amsgrad=True)),
}


def network(dtype=torch.float64):
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).to(dtype)


def train(net, optimizer, steps, scheduler=None):
    dtype = next(net.parameters()).dtype
    x = torch.linspace(-1, 1, 64, dtype=dtype).reshape(16, 4)
    for _ in range(steps):
        optimizer.zero_grad()
        ((net(x) - x.sum(1, keepdim=True).sin()) ** 2).mean().backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
    return torch.cat([p.detach().flatten() for p in net.parameters()])


@pytest.mark.parametrize("name", TWINS)
def test_trains_a_network_as_torch_does(name):
    rule, twin = TWINS[name]
    net, other = network(), network()
    ours = train(net, lrlib.torch.Optimizer(net.parameters(), rule), 200)
    theirs = train(other, twin(other.parameters()), 200)
    assert (ours - theirs).abs().max() < 1e-12


@pytest.mark.parametrize("name", TWINS)
def test_a_saved_run_resumes_bit_for_bit(name):
    rule = TWINS[name][0]
    whole = network(torch.float32)
    expected = train(whole, lrlib.torch.Optimizer(whole.parameters(), rule), 30)
    net = network(torch.float32)
    first = lrlib.torch.Optimizer(net.parameters(), rule)
    train(net, first, 13)
    saved = copy.deepcopy(first.state_dict())
    second = lrlib.torch.Optimizer(net.parameters(), rule)
    second.load_state_dict(saved)
    assert torch.equal(train(net, second, 17), expected)


def test_a_schedule_in_the_rule_and_a_torch_scheduler_agree():
    decay = ExponentialDecay(0.1, 1, 0.9)
    net, other = network(), network()
    ours = lrlib.torch.Optimizer(net.parameters(), SGD(decay, momentum=0.9))
    theirs = torch.optim.SGD(other.parameters(), 0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(theirs, 0.9)
    assert (train(net, ours, 30) - train(other, theirs, 30, scheduler)).abs().max() < 1e-12
    assert ours.param_groups[0]["lr"] == pytest.approx(decay(29))


def test_torch_schedulers_drive_a_rule_with_a_number_as_rate():
    net, other = network(), network()
    ours, theirs = lrlib.torch.Optimizer(net.parameters(), Adam(0.1)), torch.optim.Adam(other.parameters(), 0.1)
    runs = [train(n, o, 20, torch.optim.lr_scheduler.StepLR(o, 5, 0.5)) for n, o in ((net, ours), (other, theirs))]
    assert (runs[0] - runs[1]).abs().max() < 1e-12


def test_groups_have_their_own_hyper_parameters():
    net, other = network(), network()

    def groups(n):
        return [{"params": n[0].parameters(), "lr": 0.01}, {"params": n[2].parameters(), "weight_decay": 0.5}]

    ours = train(net, lrlib.torch.Optimizer(groups(net), Adam(0.1)), 20)
    theirs = train(other, torch.optim.Adam(groups(other), 0.1), 20)
    assert (ours - theirs).abs().max() < 1e-12


def test_a_parameter_without_gradient_is_skipped_and_its_steps_are_not_counted():
    def run(make):
        p, q = (torch.ones(3, dtype=torch.float64, requires_grad=True) for _ in range(2))
        optimizer = make([p, q])
        for step in range(6):
            p.grad, q.grad = 2 * p.detach(), (q.detach() if step > 2 else None)
            optimizer.step()
        return torch.cat([p, q]).detach()

    ours = run(lambda params: lrlib.torch.Optimizer(params, Adam(0.1)))
    assert (ours - run(lambda params: torch.optim.Adam(params, 0.1))).abs().max() < 1e-14


def test_storage_is_never_replaced_so_tied_weights_stay_tied():
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
    net[1].weight = net[0].weight
    where = net[0].weight.data_ptr()
    optimizer = lrlib.torch.Optimizer(net.parameters(), Adam(0.1))
    net(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    assert net[1].weight is net[0].weight and net[0].weight.data_ptr() == where


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


def test_non_contiguous_and_mixed_dtype_parameters():
    turned = torch.ones(3, 2, dtype=torch.float64).T.requires_grad_()
    half = torch.ones(2, dtype=torch.float32, requires_grad=True)
    optimizer = lrlib.torch.Optimizer([turned, half], SGD(0.5))
    turned.grad, half.grad = torch.arange(6.0, dtype=torch.float64).reshape(2, 3), torch.ones(2)
    optimizer.step()
    torch.testing.assert_close(turned.detach(), 1 - 0.5 * torch.arange(6.0, dtype=torch.float64).reshape(2, 3))
    assert half.dtype == torch.float32 and half.tolist() == [0.5, 0.5]


def test_the_state_follows_a_model_that_changes_its_dtype():
    net = network(torch.float32)
    optimizer = lrlib.torch.Optimizer(net.parameters(), Adam(0.1))
    train(net, optimizer, 2)
    net.double()
    train(net, optimizer, 2)
    assert all(s["m"].dtype == torch.float64 and s["t"] == 4 for s in optimizer.state.values())


def test_grad_scaler_skips_a_step_with_infinite_gradients():
    p = torch.ones(1, requires_grad=True)
    optimizer, scaler = lrlib.torch.Optimizer([p], SGD(0.5)), torch.amp.GradScaler("cpu", init_scale=4.0)
    for factor, expected in ((1.0, 0.5), (float("inf"), 0.5)):
        optimizer.zero_grad()
        scaler.scale((p * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        assert p.item() == expected


def test_compiled_steps_equal_eager_ones_and_compile_once():
    def run(compile):
        net = torch.nn.Linear(3, 1)
        with torch.no_grad():
            net.weight.fill_(0.5)
            net.bias.fill_(0.0)
        rule = Adam(ExponentialDecay(0.1, 5, 0.5))
        return train_linear(net, lrlib.torch.Optimizer(net.parameters(), rule, compile=compile))

    def train_linear(net, optimizer):
        for _ in range(12):
            optimizer.zero_grad()
            (net(torch.ones(2, 3)) - 1).pow(2).mean().backward()
            optimizer.step()
        return torch.cat([p.detach().flatten() for p in net.parameters()])

    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    torch.testing.assert_close(run(True), run(False), rtol=1e-5, atol=1e-6)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 2  # one for each shape of a parameter


def test_what_is_not_a_rule_is_named():
    with pytest.raises(TypeError, match="rule must be an lrlib optimizer, got 0.1"):
        lrlib.torch.Optimizer([torch.ones(1)], 0.1)
