using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>The two-layer MLP with Swish activation and dropout on its inputs (paper, sections 4.4.1 and 5.1.3).</summary>
internal sealed class SwishMlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear first;
    private readonly Linear second;
    private readonly double inputDropout;

    public SwishMlp(int inputs, int hidden, int outputs, double inputDropout)
        : base(nameof(SwishMlp))
    {
        this.inputDropout = inputDropout;
        first = nn.Linear(inputs, hidden);
        second = nn.Linear(hidden, outputs);
        RegisterComponents();
    }

    /// <summary>The layer from the inputs.</summary>
    public Linear First => first;

    /// <summary>The layer to the outputs.</summary>
    public Linear Second => second;

    /// <summary>[..., inputs] to [..., outputs].</summary>
    public override Tensor forward(Tensor input) =>
        MixedPrecision.Forward(first, x => nn.functional.silu(x), second, nn.functional.dropout(input, inputDropout, training));
}
