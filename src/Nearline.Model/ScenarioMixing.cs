namespace Nearline.Model;

/// <summary>What makes a user embedding of a user's features in a scenario (paper, sections 4.4.1 and 5.3.3).</summary>
public enum ScenarioMixing
{
    /// <summary>Split Mixture-of-Experts: shared experts, one gate, a tower a scenario.</summary>
    SplitExperts = 0,

    /// <summary>One MLP for all scenarios.</summary>
    Mlp = 1,

    /// <summary>
    /// Shared experts and a scenario's own, a gate and a tower a scenario: CGC; with more than one level, PLE (Tang et
    /// al., RecSys 2020).
    /// </summary>
    CustomizedGates = 2,
}
