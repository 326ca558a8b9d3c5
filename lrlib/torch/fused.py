"""A rule's update as one compiled loop over the elements."""

from dataclasses import replace

import torch
from torch.fx import Graph, GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

from lrlib.torch.part import moved


class Fused:
    """A rule's compiled updates, one for each shape, dtype and device of x.

    Parameters
    ----------
    rule : lrlib.Optimizer
    changing : tuple of str
        The hyper-parameters that are inputs, as the rate is. All others are compiled in.
    """

    def __init__(self, rule, changing):
        self.rule, self.changing, self.kernels = rule, changing, {}

    def __call__(self, values, x, g, state, t, lr):
        """One update, in place; `values` are those of the hyper-parameters that are inputs."""
        key = x.shape, x.dtype, x.device
        if key not in self.kernels:
            self.kernels[key] = Kernel(self.rule, self.changing, x, g, state)
        self.kernels[key]((t, lr, *values), x, g, *state.values())


class Kernel:
    """One update in two functions: what follows from numbers alone, computed once for a step, and the loop.

    In one function a power such as beta ** t would be computed anew for every element.
    """

    def __init__(self, rule, changing, x, g, state):
        def update(t, lr, *inputs):
            values, (x, g, *arrays) = inputs[: len(changing)], inputs[len(changing) :]
            now = replace(rule, **dict(zip(changing, values, strict=True)))
            moved(now, x, g, dict(zip(state, arrays, strict=True)), t, lr)

        numbers = [torch.ones((), dtype=torch.float64) for _ in range(2 + len(changing))]
        traced = make_fx(update, tracing_mode="fake")(*numbers, x, g, *state.values())
        scalars, loop = halves(traced, len(numbers))
        self.scalars = torch._inductor.compile(scalars, numbers)
        # A part's arrays are contiguous and of the shape by which this kernel was found: no need to look at each step.
        known = [*self.scalars(*numbers), x, g, *state.values()]
        self.loop = torch._inductor.compile(loop, known, options={"size_asserts": False})
        self.numbers, self.known = None, []

    def __call__(self, numbers, *arrays):
        if numbers != self.numbers:
            tensors = [torch.tensor(number, dtype=torch.float64) for number in numbers]
            self.numbers, self.known = numbers, self.scalars(*tensors)
        self.loop(*self.known, *arrays)


def halves(traced, n):
    """Two modules: what follows from the first `n` inputs alone, and the rest, which takes its results first."""
    nodes = [node for node in traced.graph.nodes if node.op != "output"]
    early = set(nodes[:n])
    for node in nodes[n:]:
        if node.op != "placeholder" and early.issuperset(node.all_input_nodes) and node.meta["val"].ndim == 0:
            early.add(node)
    crossing = [node for node in nodes if node in early and not early.issuperset(node.users)]
    first, second = Graph(), Graph()
    in_first, in_second = {}, {node: second.placeholder(node.name) for node in crossing}
    for node in nodes:
        graph, known = (first, in_first) if node in early else (second, in_second)
        known[node] = graph.node_copy(node, known.__getitem__)
    first.output(tuple(in_first[node] for node in crossing))
    second.output(())
    return GraphModule(traced, first), GraphModule(traced, second)
