"""Evaluates expressions with PyTorch. Reads {"inputs": {name: {dtype, shape, data}}, "cases": [{name, code}]} from
stdin; writes {name: {"outputs": [...], "grads": {input: [...]}} or {"error": text}}. A case's code is an expression, or
statements that set `result`. Gradients are of the sum of all floating outputs, weighted by cos(0), cos(1), ..."""
import json
import math
import sys

import torch
import torch.nn.functional as F  # noqa: N812


def number(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return float(value)


def flat(tensor):
    tensor = tensor.detach().to(torch.float64) if tensor.dtype != torch.bool else tensor.to(torch.float64)
    return [number(v) for v in tensor.reshape(-1).tolist()]


def tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (tuple, list)):
        return [t for v in value for t in tensors(v)]
    return [torch.tensor(value, dtype=torch.float64)]


def evaluate(code, inputs):
    names = {"torch": torch, "F": F, "math": math}
    leaves = {}
    for name, spec in inputs.items():
        tensor = torch.tensor([float(v) for v in spec["data"]], dtype=getattr(torch, spec["dtype"])).reshape(spec["shape"])
        if tensor.is_floating_point():
            tensor.requires_grad_()
            leaves[name] = tensor
        names[name] = tensor
    torch.manual_seed(42)
    if "result =" in code:
        exec(code, names)
        outputs = tensors(names["result"])
    else:
        outputs = tensors(eval(code, names))
    loss = None
    for output in outputs:
        if output.requires_grad and output.is_floating_point():
            weights = torch.cos(torch.arange(output.numel(), dtype=torch.float64)).reshape(output.shape).to(output.dtype)
            term = (output * weights).sum()
            loss = term if loss is None else loss + term
    if loss is not None:
        loss.backward()
    return {
        "outputs": [{"dtype": str(o.dtype)[6:], "shape": list(o.shape), "data": flat(o)} for o in outputs],
        "grads": {name: flat(t.grad) for name, t in leaves.items() if t.grad is not None},
    }


def main():
    torch.set_num_threads(1)
    request = json.load(sys.stdin)
    answers = {}
    for case in request["cases"]:
        try:
            answers[case["name"]] = evaluate(case["code"], request["inputs"])
        except Exception as e:  # the test shows which case PyTorch itself refuses
            answers[case["name"]] = {"error": f"{type(e).__name__}: {e}"}
    json.dump(answers, sys.stdout)


main()
