namespace Nearline.Model.Index;

/// <summary>Which backend is to search the model's rows.</summary>
public sealed record BackendOptions
{
    /// <summary>One of <see cref="IndexBackends.Names"/>.</summary>
    public string Backend { get; init; } = IndexBackends.Auto;

    /// <summary>How long a query may take for <see cref="IndexBackends.Auto"/> to stay exact, on average in a batch.</summary>
    public TimeSpan ExactBudget { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>How long a backend searches while it is tried; three rounds at least.</summary>
    public TimeSpan MeasureFor { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Rows that a query asks for while a backend is tried.</summary>
    public int Limit { get; init; } = 300;

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">One is wrong; it is named, with what would be right.</exception>
    public void Validate()
    {
        OneOf(nameof(Backend), Backend, IndexBackends.Names);
        InRange(nameof(ExactBudget), ExactBudget, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        InRange(nameof(MeasureFor), MeasureFor, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        InRange(nameof(Limit), Limit, 1, int.MaxValue);
    }

    private static void OneOf(string name, string value, IReadOnlyList<string> allowed)
    {
        if (!allowed.Contains(value))
        {
            throw new ArgumentException($"{name}: '{value}': must be one of {string.Join(", ", allowed)}", name);
        }
    }

    private static void InRange<T>(string name, T value, T least, T most)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            throw new ArgumentException($"{name}: {value}: must be from {least} to {most}", name);
        }
    }
}
