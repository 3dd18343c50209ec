using TorchSharp;
using static TorchSharp.torch;

namespace Nearline.Model;

/// <summary>Devices by name.</summary>
internal static class Devices
{
    /// <summary>"cpu", "cuda", or "auto": cuda where there is one.</summary>
    /// <exception cref="ArgumentException">Another name, or "cuda" where there is none.</exception>
    public static Device Of(string name) => name switch
    {
        "auto" => cuda.is_available() ? CUDA : CPU,
        "cpu" => CPU,
        "cuda" => cuda.is_available()
            ? CUDA
            : throw new ArgumentException("device: 'cuda' was asked for, but torch sees no CUDA device; use cpu or auto", nameof(name)),
        _ => throw new ArgumentException($"device: '{name}' is not one of auto, cpu, cuda", nameof(name)),
    };
}
