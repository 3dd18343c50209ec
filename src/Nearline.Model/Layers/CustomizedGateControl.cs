using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Nearline.Model.Layers;

/// <summary>
/// Customized Gate Control, and with more than one level Progressive Layered Extraction (Tang et al., RecSys 2020), with
/// scenarios for tasks: <c>u_s = Post_s(sum_k Gate_sk(x_s) Expert_k(x))</c> over the shared experts and those of
/// scenario s.
/// </summary>
/// <remarks>
/// A level below the last yields an input for each scenario and one for the shared experts of the next level, whose
/// gate weighs all experts; so it runs every scenario's experts for every pair. The last runs only those of the pair's.
/// </remarks>
internal sealed class CustomizedGateControl : ScenarioMixer
{
    private readonly ModuleList<GatedLevel> lower;
    private readonly GatedLevel last;
    private readonly ModuleList<SwishMlp> post;

    public CustomizedGateControl(int inputs, int outputs, int scenarios, M5Config config)
        : base(nameof(CustomizedGateControl))
    {
        int WidthInto(int level) => level == 0 ? inputs : config.ExpertWidth;
        lower = new ModuleList<GatedLevel>(
            [.. Enumerable.Range(0, config.MixingLevels - 1).Select(level => new GatedLevel(WidthInto(level), scenarios, isLast: false, config))]);
        last = new GatedLevel(WidthInto(config.MixingLevels - 1), scenarios, isLast: true, config);
        post = new ModuleList<SwishMlp>(
            [.. Enumerable.Range(0, scenarios).Select(_ => new SwishMlp(config.ExpertWidth, config.Hidden, outputs, config.InputDropout))]);
        RegisterComponents();
    }

    /// <inheritdoc/>
    /// <remarks>The experts are those of the last level, the shared ones first.</remarks>
    public override (Tensor Users, Tensor? Experts) Forward(Tensor features, ScenarioPairs pairs)
    {
        var shared = features;
        Tensor[] own = [.. post.Select(_ => features)];
        foreach (var level in lower)
        {
            (own, shared) = level.Forward(own, shared);
        }

        var (users, experts) = (new List<Tensor>(), new List<Tensor>());
        for (var s = 0; s < own.Length; s++)
        {
            if (pairs.Sizes[s] > 0)
            {
                var (mixed, outputs) = last.Of(s, pairs.RowsOf(s, own[s]), pairs.RowsOf(s, shared));
                users.Add(post[s].forward(mixed));
                experts.Add(outputs);
            }
        }

        return (pairs.Gather(users), pairs.Gather(experts));
    }

    /// <summary>The experts and gates of a level.</summary>
    private sealed class GatedLevel : nn.Module
    {
        private readonly ModuleList<SwishMlp> sharedExperts;
        private readonly ModuleList<SwishMlp> ownExperts;
        private readonly ModuleList<SwishMlp> gates;
        private readonly SwishMlp? sharedGate;
        private readonly int ownCount;

        public GatedLevel(int inputs, int scenarios, bool isLast, M5Config config)
            : base(nameof(GatedLevel))
        {
            ownCount = config.ScenarioExperts;
            ModuleList<SwishMlp> Mlps(int count, int outputs) =>
                new([.. Enumerable.Range(0, count).Select(_ => new SwishMlp(inputs, config.Hidden, outputs, config.InputDropout))]);
            sharedExperts = Mlps(config.Experts, config.ExpertWidth);
            ownExperts = Mlps(scenarios * ownCount, config.ExpertWidth);
            gates = Mlps(scenarios, config.Experts + ownCount);
            sharedGate = isLast
                ? null
                : new SwishMlp(inputs, config.Hidden, config.Experts + (scenarios * ownCount), config.InputDropout);
            RegisterComponents();
        }

        /// <summary>A scenario's mixture, [P, w], and the experts in it, [P, n, w].</summary>
        public (Tensor Mixed, Tensor Experts) Of(int scenario, Tensor own, Tensor shared)
        {
            var experts = stack([.. Shared(shared), .. Own(scenario, own)], 1);
            return (Weigh(gates[scenario].forward(own), experts), experts);
        }

        /// <summary>The inputs of the next level for all pairs: one a scenario, and the shared one.</summary>
        public (Tensor[] Own, Tensor Shared) Forward(IReadOnlyList<Tensor> own, Tensor shared)
        {
            Tensor[] common = [.. Shared(shared)];
            Tensor[][] special = [.. own.Select((x, s) => Own(s, x).ToArray())];
            Tensor[] mixed = [.. own.Select((x, s) => Weigh(gates[s].forward(x), stack([.. common, .. special[s]], 1)))];
            return (mixed, Weigh(sharedGate!.forward(shared), stack([.. common, .. special.SelectMany(e => e)], 1)));
        }

        private IEnumerable<Tensor> Shared(Tensor input) => sharedExperts.Select(e => e.forward(input));

        private IEnumerable<Tensor> Own(int scenario, Tensor input) =>
            ownExperts.Skip(scenario * ownCount).Take(ownCount).Select(e => e.forward(input));
    }
}
