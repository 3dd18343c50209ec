using TorchSharp;

namespace Nearline.Model.Tests;

/// <summary>Counts native tensors, so that a test can see a leak.</summary>
internal static class LiveTensors
{
    /// <summary>How many there are now, once the collector has taken what other tests left to it.</summary>
    public static long Count()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }
}
