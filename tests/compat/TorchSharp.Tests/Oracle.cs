using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace TorchSharp.Tests;

/// <summary>What PyTorch answers. One child process evaluates all cases, the first time that one is asked for.</summary>
internal static class Oracle
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private static readonly Lazy<Dictionary<string, Answer>> All = new(() => Ask(
        OperatorCases.All.Select(static c => (c.Name, c.Python))
            .Concat(TrainingCases.All.Select(static c => (c.Name, c.Python)))));

    internal static Answer Of(string name)
    {
        var answer = All.Value[name];
        Assert.True(answer.Error is null, $"PyTorch refuses the case '{name}': {answer.Error}");
        return answer;
    }

    private static Dictionary<string, Answer> Ask(IEnumerable<(string Name, string Python)> cases)
    {
        var python = Environment.GetEnvironmentVariable("TORCH_PYTHON") ?? "/usr/bin/python3";
        var start = new ProcessStartInfo(python, Path.Combine(AppContext.BaseDirectory, "oracle.py"))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        var request = new
        {
            inputs = Inputs.Specifications,
            cases = cases.Select(static c => new { name = c.Name, code = c.Python }),
        };
        process.StandardInput.Write(JsonSerializer.Serialize(request, Json));
        process.StandardInput.Close();
        var text = output.GetAwaiter().GetResult();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{python} with PyTorch (python3-torch) failed: {errors.GetAwaiter().GetResult()}");
        return JsonSerializer.Deserialize<Dictionary<string, Answer>>(text, Json)!;
    }
}

internal sealed record Answer(string? Error, IReadOnlyList<Specification>? Outputs, IReadOnlyDictionary<string, double[]>? Grads);

internal sealed record Specification(string Dtype, long[] Shape, double[] Data);
