using Nearline.Model.Training.Runs;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Training;

/// <summary>What changes while a model trains: optimizer, averages, the best weights, and how far it is.</summary>
internal sealed class TrainingState : IDisposable
{
    private readonly (string Name, Parameter Weight)[] parameters;
    private readonly Adam optimizer;
    private readonly WeightSnapshot best;
    private double bestHr20 = double.NegativeInfinity;

    public TrainingState(M5Model model, TrainingOptions options)
    {
        parameters = [.. model.named_parameters().Select(p => (p.name, p.parameter))];
        Learning = [.. parameters.Select(p => p.Weight).Where(p => p.requires_grad)];
        optimizer = optim.Adam(Learning, options.LearningRate);
        Average = options.WeightAverage > 0 ? new WeightAverage(parameters.Select(p => p.Weight), options.WeightAverage) : null;
        best = new WeightSnapshot(parameters.Select(p => p.Weight));
    }

    /// <summary>The parameters that learn.</summary>
    public Parameter[] Learning { get; }

    public optim.Optimizer Optimizer => optimizer;

    /// <summary>The average of the weights; null where none is kept.</summary>
    public WeightAverage? Average { get; }

    /// <summary>The reports of the epochs that are over.</summary>
    public List<TrainingProgress> Epochs { get; } = [];

    /// <summary>Steps taken.</summary>
    public long Steps { get; set; }

    /// <summary>The epoch of the best weights; 0: none yet.</summary>
    public int BestEpoch { get; private set; }

    /// <summary>Evaluations since.</summary>
    public int SinceBest { get; private set; }

    /// <summary>Time spent in the epochs that are over.</summary>
    public TimeSpan Elapsed => Epochs.Count == 0 ? TimeSpan.Zero : Epochs[^1].Elapsed;

    /// <summary>Takes an evaluation in; whether it is the best so far.</summary>
    public bool IsBetter(double hr20)
    {
        var isBetter = hr20 > bestHr20;
        (bestHr20, SinceBest) = isBetter ? (hr20, 0) : (bestHr20, SinceBest + 1);
        return isBetter;
    }

    /// <summary>Keeps the weights as they are as those of an epoch.</summary>
    public void Keep(int epoch)
    {
        best.Take();
        BestEpoch = epoch;
    }

    /// <summary>Puts the kept weights back into the model.</summary>
    public void Restore() => best.Restore();

    /// <summary>Writes all of it.</summary>
    public void Save(string path, string schema) => Checkpoint.Save(
        path,
        new CheckpointState
        {
            Schema = schema,
            Steps = Steps,
            AverageSteps = Average?.Steps ?? 0,
            AdamSteps = [.. Moments().Select(m => m.step)],
            BestEpoch = BestEpoch,
            BestHr20 = bestHr20,
            SinceBest = SinceBest,
            Epochs = Epochs,
        },
        Tensors());

    /// <summary>Goes back to what was written.</summary>
    /// <exception cref="InvalidDataException">It is of another model, or unreadable.</exception>
    public void Load(string path, CheckpointState state)
    {
        var moments = Moments().ToList();
        if (state.AdamSteps.Count != moments.Count)
        {
            throw new InvalidDataException($"{path}: Adam's steps of {state.AdamSteps.Count} parameters; the model learns {moments.Count}");
        }

        Checkpoint.ReadTensors(path, [.. Tensors()]);
        for (var i = 0; i < moments.Count; i++)
        {
            moments[i].step = state.AdamSteps[i];
        }

        if (Average is not null)
        {
            Average.Steps = state.AverageSteps;
        }

        (Steps, BestEpoch, bestHr20, SinceBest) = (state.Steps, state.BestEpoch, state.BestHr20, state.SinceBest);
        Epochs.Clear();
        Epochs.AddRange(state.Epochs);
    }

    public void Dispose()
    {
        optimizer.Dispose();
        Average?.Dispose();
        best.Dispose();
    }

    /// <summary>Adam's own state of each parameter that learns, in their order: not copies.</summary>
    private IEnumerable<Adam.State> Moments() => optimizer.state_dict().State.Cast<Adam.State>();

    private IEnumerable<(string Name, Tensor Tensor)> Tensors()
    {
        var moments = Moments().ToList();
        var names = parameters.Where(p => p.Weight.requires_grad).Select(p => p.Name).ToList();
        return
        [
            .. parameters.Select(p => ($"weights/{p.Name}", (Tensor)p.Weight)),
            .. parameters.Zip(best.Copies, (p, copy) => ($"best/{p.Name}", copy)),
            .. Average is null ? [] : parameters.Zip(Average.Averages, (p, average) => ($"average/{p.Name}", average)),
            .. names.Zip(moments, (name, moment) => ($"adam/first/{name}", moment.exp_avg)),
            .. names.Zip(moments, (name, moment) => ($"adam/second/{name}", moment.exp_avg_sq)),
        ];
    }
}
