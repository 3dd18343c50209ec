using Nearline.Model.Evaluation;

namespace Nearline.Cli.Modelling;

/// <summary>Settings of <see cref="ItemKnn"/>.</summary>
internal sealed record ItemKnnSettings
{
    /// <summary>Neighbours of a show.</summary>
    public int Neighbours { get; init; } = ItemKnn.UsualNeighbours;

    /// <summary>Watches that count.</summary>
    public int History { get; init; } = ItemKnn.UsualHistory;

    /// <summary>Checks the numbers.</summary>
    /// <exception cref="ArgumentException">One makes no sense; the message names it.</exception>
    public void Validate()
    {
        SettingChecks.Require(nameof(Neighbours), Neighbours, Neighbours >= 1, "at least 1");
        SettingChecks.Require(nameof(History), History, History >= 1, "at least 1");
    }
}

/// <summary>Settings of <see cref="ContentKnn"/>.</summary>
internal sealed record ContentKnnSettings
{
    /// <summary>Watches that count.</summary>
    public int History { get; init; } = ContentKnn.UsualHistory;

    /// <summary>Checks the number.</summary>
    /// <exception cref="ArgumentException">It makes no sense; the message names it.</exception>
    public void Validate() => SettingChecks.Require(nameof(History), History, History >= 1, "at least 1");
}

/// <summary>Settings of <see cref="Ease"/>.</summary>
internal sealed record EaseSettings
{
    /// <summary>The regularisation.</summary>
    public double Lambda { get; init; } = Ease.UsualLambda;

    /// <summary>Watches that count.</summary>
    public int History { get; init; } = Ease.UsualHistory;

    /// <summary>Checks the numbers.</summary>
    /// <exception cref="ArgumentException">One makes no sense; the message names it.</exception>
    public void Validate()
    {
        SettingChecks.Require(nameof(Lambda), Lambda, Lambda > 0, "above 0");
        SettingChecks.Require(nameof(History), History, History >= 1, "at least 1");
    }
}

/// <summary>Of a baseline that has nothing to set.</summary>
internal sealed record NoSettings;

internal static class SettingChecks
{
    public static void Require(string name, double value, bool isGood, string rule)
    {
        if (!isGood)
        {
            throw new ArgumentException($"{name}: {value}; must be {rule}", name);
        }
    }
}
