using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace TorchSharp.Tests;

internal sealed record TrainingCase(string Name, string Python, Func<Inputs, Tensor[]> Run);

/// <summary>Optimizers, schedulers and modules after some steps, here and in PyTorch.</summary>
internal static class TrainingCases
{
    internal static readonly IReadOnlyList<TrainingCase> All =
    [
        Steps("SGD", "torch.optim.SGD(P, 0.1)", static p => optim.SGD(p, 0.1)),
        Steps("SGD with momentum", "torch.optim.SGD(P, 0.1, momentum=0.9, dampening=0.1, weight_decay=0.02)", static p => optim.SGD(p, 0.1, 0.9, 0.1, 0.02)),
        Steps("SGD with Nesterov momentum", "torch.optim.SGD(P, 0.1, momentum=0.9, nesterov=True)", static p => optim.SGD(p, 0.1, 0.9, nesterov: true)),
        Steps("SGD that climbs", "torch.optim.SGD(P, 0.1, maximize=True)", static p => optim.SGD(p, 0.1, maximize: true)),
        Steps("Adam", "torch.optim.Adam(P, 0.05)", static p => optim.Adam(p, 0.05)),
        Steps("Adam with betas and decay", "torch.optim.Adam(P, 0.05, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)", static p => optim.Adam(p, 0.05, 0.8, 0.95, 1e-6, 0.1)),
        Steps("Adam with amsgrad", "torch.optim.Adam(P, 0.05, amsgrad=True)", static p => optim.Adam(p, 0.05, amsgrad: true)),
        Steps("Adam that climbs", "torch.optim.Adam(P, 0.05, maximize=True)", static p => optim.Adam(p, 0.05, maximize: true)),
        Steps("AdamW", "torch.optim.AdamW(P, 0.05, weight_decay=0.1)", static p => optim.AdamW(p, 0.05, weight_decay: 0.1)),
        new("Adam with groups of their own rates", Loop("torch.optim.Adam([{'params': P[:1], 'lr': 0.2}, {'params': P[1:], 'weight_decay': 0.5}], 0.05)"), t =>
        {
            var p = Parameters(t);
            return Train(t, p, optim.Adam([new Adam.ParamGroup([p[0]], 0.2), new Adam.ParamGroup { Parameters = [p[1]], Options = new Adam.Options { weight_decay = 0.5 } }], 0.05));
        }),
        Odd("Adam of a parameter that is not contiguous", "torch.optim.Adam([P], 0.05, weight_decay=0.1, amsgrad=True, maximize=True)", "x.detach().t()", static t => t.x.detach().clone().t(), static p => optim.Adam([p], 0.05, weight_decay: 0.1, amsgrad: true, maximize: true)),
        Odd("AdamW of a parameter that is not contiguous", "torch.optim.AdamW([P], 0.05, weight_decay=0.1)", "x.detach().t()", static t => t.x.detach().clone().t(), static p => optim.AdamW([p], 0.05, weight_decay: 0.1)),
        Odd("AdamW of a large parameter", "torch.optim.AdamW([P], 0.05, weight_decay=0.1, amsgrad=True)", "torch.randn(70001)", static _ => randn(70001), static p => optim.AdamW([p], 0.05, weight_decay: 0.1, amsgrad: true)),
        Schedule("LambdaLR", "LambdaLR(O, lambda e: 1 / (1 + e))", static o => optim.lr_scheduler.LambdaLR(o, static e => 1.0 / (1 + e))),
        Schedule("LinearLR", "LinearLR(O, 1.0, 0.1, 6)", static o => optim.lr_scheduler.LinearLR(o, 1, 0.1, 6)),
        Schedule("StepLR", "StepLR(O, 3, 0.5)", static o => optim.lr_scheduler.StepLR(o, 3, 0.5)),
        Schedule("MultiStepLR", "MultiStepLR(O, [2, 5], 0.3)", static o => optim.lr_scheduler.MultiStepLR(o, [2, 5], 0.3)),
        Schedule("ExponentialLR", "ExponentialLR(O, 0.9)", static o => optim.lr_scheduler.ExponentialLR(o, 0.9)),
        Schedule("ConstantLR", "ConstantLR(O, 0.2, 4)", static o => optim.lr_scheduler.ConstantLR(o, 0.2, 4)),
        Schedule("PolynomialLR", "PolynomialLR(O, 5, 2.0)", static o => optim.lr_scheduler.PolynomialLR(o, 5, 2)),
        Schedule("CosineAnnealingLR", "CosineAnnealingLR(O, 4, 0.01)", static o => optim.lr_scheduler.CosineAnnealingLR(o, 4, 0.01)),
        new("clip_grad_norm_", "P = torch.nn.Parameter(x.detach()); ((P ** 3).sum()).backward(); n = torch.nn.utils.clip_grad_norm_([P], 1.5); result = [n.detach(), P.grad]", static t =>
        {
            var p = new Parameter(t.x.detach());
            p.pow(3).sum().backward();
            var norm = nn.utils.clip_grad_norm_([p], 1.5);
            return [tensor(norm), p.grad!];
        }),
        new("clip_grad_value_", "P = torch.nn.Parameter(x.detach()); ((P ** 3).sum()).backward(); torch.nn.utils.clip_grad_value_([P], 0.7); result = P.grad", static t =>
        {
            var p = new Parameter(t.x.detach());
            p.pow(3).sum().backward();
            nn.utils.clip_grad_value_([p], 0.7);
            return [p.grad!];
        }),
        new("Linear, seeded", "M = torch.nn.Linear(4, 5); result = [M.weight.detach(), M.bias.detach(), M(f).detach()]", static t =>
        {
            var linear = nn.Linear(4, 5);
            return [linear.weight.detach(), linear.bias!.detach(), linear.call(t.f).detach()];
        }),
        new("Embedding, seeded, with padding", "M = torch.nn.Embedding(5, 3, padding_idx=2); z = M(i); z.sum().backward(); result = [z.detach(), M.weight.grad]", static t =>
        {
            var embedding = nn.Embedding(5, 3, padding_idx: 2);
            var z = embedding.call(t.i);
            z.sum().backward();
            return [z.detach(), embedding.weight!.grad!];
        }),
        new("LayerNorm", "M = torch.nn.LayerNorm(4); result = M(f).detach()", static t => [nn.LayerNorm(4).call(t.f).detach()]),
        .. new[] { EmbeddingBagMode.Sum, EmbeddingBagMode.Mean, EmbeddingBagMode.Max }.Select(static mode => new TrainingCase(
            $"EmbeddingBag, {mode}",
            $"M = torch.nn.EmbeddingBag.from_pretrained(y.detach(), mode='{mode.ToString().ToLowerInvariant()}'); result = [M(i), M(s % 3, torch.tensor([0, 2, 5]))]",
            t =>
            {
                var bag = nn.EmbeddingBag_from_pretrained(t.y.detach(), mode: mode);
                return [bag.call(t.i), bag.call(t.s % 3, tensor(new long[] { 0, 2, 5 }))];
            })),
        new("GRU of two layers, both ways", "M = torch.nn.GRU(4, 3, 2, bidirectional=True, batch_first=True); o, h = M(b.float()); o.sum().backward(); result = [o.detach(), h.detach(), M.weight_ih_l0.grad, M.bias_hh_l1_reverse.grad]", static t =>
        {
            var gru = nn.GRU(4, 3, 2, batchFirst: true, bidirectional: true);
            var (o, h) = gru.call(t.b.@float());
            o.sum().backward();
            return [o.detach(), h.detach(), gru.get_parameter("weight_ih_l0")!.grad!, gru.get_parameter("bias_hh_l1_reverse")!.grad!];
        }),
    ];

    // Both parameters take part in steps 0 to 2; later only the first does, whose gradient the second must not need.
    private static string Loop(string optimizer) => $"""
        P = [torch.nn.Parameter(x.detach()), torch.nn.Parameter(v.detach())]
        O = {optimizer}
        for step in range(6):
            O.zero_grad()
            loss = ((P[0] * y).sin() * (P[1] if step < 3 else 1)).sum()
            loss.backward()
            O.step()
            if step == 2:
                P[1].grad = None
        result = [p.detach() for p in P]
        """;

    private static TrainingCase Steps(string name, string python, Func<Parameter[], optim.Optimizer> make) =>
        new(name, Loop(python), t =>
        {
            var p = Parameters(t);
            return Train(t, p, make(p));
        });

    private static Parameter[] Parameters(Inputs t) => [new Parameter(t.x.detach().clone()), new Parameter(t.v.detach().clone())];

    private static Tensor[] Train(Inputs t, Parameter[] p, optim.Optimizer optimizer)
    {
        for (var step = 0; step < 6; step++)
        {
            optimizer.zero_grad();
            var waves = (p[0] * t.y).sin();
            (step < 3 ? waves * p[1] : waves).sum().backward();
            optimizer.step();
            if (step == 2)
            {
                p[1].grad = null;
            }
        }

        return [p[0].detach(), p[1].detach()];
    }

    private static TrainingCase Odd(string name, string python, string start, Func<Inputs, Tensor> parameter, Func<Parameter, optim.Optimizer> make) => new(
        name,
        $"""
        P = torch.nn.Parameter({start})
        O = {python}
        for step in range(4):
            O.zero_grad()
            (P * P * 0.5 + P).sum().backward()
            O.step()
        result = P.detach()
        """,
        t =>
        {
            var p = new Parameter(parameter(t));
            var optimizer = make(p);
            for (var step = 0; step < 4; step++)
            {
                optimizer.zero_grad();
                ((p * p * 0.5) + p).sum().backward();
                optimizer.step();
            }

            return [p.detach()];
        });

    private static TrainingCase Schedule(string name, string python, Func<optim.Optimizer, optim.lr_scheduler.LRScheduler> make) => new(
        name,
        $"""
        O = torch.optim.SGD([torch.nn.Parameter(x.detach())], 0.4)
        S = torch.optim.lr_scheduler.{python}
        rates = []
        for step in range(9):
            rates.append(O.param_groups[0]['lr'])
            O.step()
            S.step()
        result = torch.tensor(rates, dtype=torch.float64)
        """,
        t =>
        {
            var optimizer = optim.SGD([new Parameter(t.x.detach().clone())], 0.4);
            var scheduler = make(optimizer);
            var rates = new double[9];
            for (var step = 0; step < rates.Length; step++)
            {
                rates[step] = optimizer.ParamGroups.Single().LearningRate;
                optimizer.step();
                scheduler.step();
            }

            return [tensor(rates)];
        });
}
