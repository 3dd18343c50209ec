using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Training;

/// <summary>An exponential moving average of a model's weights, steadier than the last step's.</summary>
internal sealed class WeightAverage : IDisposable
{
    private readonly List<(Parameter Weight, Tensor Average)> weights = [];
    private readonly double decay;

    public WeightAverage(IEnumerable<Parameter> parameters, double decay)
    {
        this.decay = decay;
        using var _ = no_grad();
        foreach (var parameter in parameters)
        {
            weights.Add((parameter, parameter.detach().clone().DetachFromDisposeScope()));
        }
    }

    /// <summary>How often weights were taken in.</summary>
    public long Steps { get; set; }

    /// <summary>The averages, in the order of the parameters.</summary>
    public IReadOnlyList<Tensor> Averages => [.. weights.Select(w => w.Average)];

    /// <summary>Takes the current weights in. Early steps weigh more, so that the random start is soon forgotten.</summary>
    public void Update()
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var kept = Math.Min(decay, (1.0 + Steps) / (10.0 + Steps));
        Steps++;
        foreach (var (weight, average) in weights)
        {
            average.mul_(kept).add_(weight, 1 - kept);
        }
    }

    /// <summary>Exchanges weights and averages; a second call undoes the first.</summary>
    public void Swap()
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (weight, average) in weights)
        {
            var current = weight.detach().clone();
            weight.copy_(average);
            average.copy_(current);
        }
    }

    public void Dispose()
    {
        foreach (var (_, average) in weights)
        {
            average.Dispose();
        }
    }
}
