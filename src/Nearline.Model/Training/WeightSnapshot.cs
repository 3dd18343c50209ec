using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Training;

/// <summary>A copy of a model's weights to go back to.</summary>
internal sealed class WeightSnapshot : IDisposable
{
    private readonly List<(Parameter Weight, Tensor Copy)> weights = [];

    /// <summary>Copies a model's weights as they are.</summary>
    public WeightSnapshot(nn.Module model)
        : this(model.parameters())
    {
    }

    /// <summary>Copies weights as they are.</summary>
    public WeightSnapshot(IEnumerable<Parameter> parameters)
    {
        using var _ = no_grad();
        foreach (var parameter in parameters)
        {
            weights.Add((parameter, parameter.detach().clone().DetachFromDisposeScope()));
        }
    }

    /// <summary>The copies, in the order of the parameters.</summary>
    public IReadOnlyList<Tensor> Copies => [.. weights.Select(w => w.Copy)];

    /// <summary>Copies the weights anew.</summary>
    public void Take()
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        weights.ForEach(w => w.Copy.copy_(w.Weight));
    }

    /// <summary>Puts the copy back into the model.</summary>
    public void Restore()
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        weights.ForEach(w => w.Weight.copy_(w.Copy));
    }

    public void Dispose() => weights.ForEach(w => w.Copy.Dispose());
}
