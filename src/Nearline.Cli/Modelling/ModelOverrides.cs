using System.Globalization;
using System.Reflection;
using Nearline.Cli.Console;
using Nearline.Model;
using Nearline.Model.Training;

namespace Nearline.Cli.Modelling;

/// <summary>
/// Assignments such as <c>Epochs=30</c> or <c>SinHidden=64,64</c> to any number, text, choice or list of
/// <see cref="M5Config"/> and <see cref="TrainingOptions"/>, by name in any case.
/// </summary>
internal static class ModelOverrides
{
    private static readonly Dictionary<string, PropertyInfo> Properties =
        new[] { typeof(M5Config), typeof(TrainingOptions) }
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
            .Where(p => p.SetMethod is { IsPublic: true })
            .ToDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The options that there are.</summary>
    public static IReadOnlyCollection<string> Names => Properties.Keys;

    /// <summary>Configuration and training with the assignments made, in their order, and checked.</summary>
    /// <param name="config">The shape to start from.</param>
    /// <param name="training">The training to start from.</param>
    /// <param name="assignments">Each a name, an equals sign and a value.</param>
    /// <exception cref="CliException">A name is unknown, or a value makes no sense; the message says what would.</exception>
    public static (M5Config Config, TrainingOptions Training) Apply(
        M5Config config, TrainingOptions training, IEnumerable<string> assignments)
    {
        var (shape, options) = (config with { }, training with { });
        foreach (var assignment in assignments)
        {
            var (property, text) = Parse(assignment);
            object target = property.DeclaringType == typeof(M5Config) ? shape : options;
            property.SetValue(target, Value(property, text));
        }

        Check(shape.Validate);
        Check(options.Validate);
        return (shape, options);
    }

    private static (PropertyInfo Property, string Text) Parse(string assignment)
    {
        var at = assignment.IndexOf('=', StringComparison.Ordinal);
        if (at < 0)
        {
            throw new CliException($"--set is '{assignment}'; it must be a name, an equals sign and a value, such as Epochs=30");
        }

        var name = assignment[..at].Trim();
        if (!Properties.TryGetValue(name, out var property))
        {
            var near = Near(name);
            throw new CliException(
                $"--set is '{assignment}'; there is no option '{name}'" +
                (near.Length > 0 ? $", did you mean {string.Join(" or ", near)}?" : $"; there are {string.Join(", ", Names.Order(StringComparer.Ordinal))}"));
        }

        return property.Name == nameof(M5Config.Variant)
            ? throw new CliException($"--set is '{assignment}'; a variant is chosen with --variant")
            : (property, assignment[(at + 1)..].Trim());
    }

    private static object? Value(PropertyInfo property, string text)
    {
        var type = property.PropertyType;
        if (type == typeof(IReadOnlyList<int>))
        {
            return text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(part => (int)Scalar(property, typeof(int), part, text, "whole numbers with commas between, or nothing"))
                .ToArray();
        }

        var inner = Nullable.GetUnderlyingType(type);
        return inner is not null && text.Length == 0 ? null : Scalar(property, inner ?? type, text, text, null);
    }

    private static object Scalar(PropertyInfo property, Type type, string part, string text, string? rule)
    {
        const NumberStyles whole = NumberStyles.AllowLeadingSign;
        if (type == typeof(int))
        {
            return int.TryParse(part, whole, CultureInfo.InvariantCulture, out var number) ? number : throw Wrong(rule ?? "a whole number");
        }

        if (type == typeof(double))
        {
            return double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
                ? number
                : throw Wrong("a number, with a point before its decimals");
        }

        if (type == typeof(bool))
        {
            return bool.TryParse(part, out var flag) ? flag : throw Wrong("true or false");
        }

        if (type.IsEnum)
        {
            // Enum.Parse would take numbers too, which say nothing to a reader.
            return Enum.GetNames(type).FirstOrDefault(n => n.Equals(part, StringComparison.OrdinalIgnoreCase)) is { } known
                ? Enum.Parse(type, known)
                : throw Wrong($"one of {string.Join(", ", Enum.GetNames(type))}");
        }

        return type == typeof(string)
            ? part
            : throw new CliException($"--set {property.Name}: options of type {type.Name} cannot be set here");

        CliException Wrong(string must) => new($"--set {property.Name} is '{text}'; it must be {must}");
    }

    private static void Check(Action validate)
    {
        try
        {
            validate();
        }
        catch (ArgumentException e)
        {
            // The exception's own text ends with the parameter's name, which the message begins with.
            throw new CliException($"--set: {e.Message.Replace($" (Parameter '{e.ParamName}')", "", StringComparison.Ordinal)}");
        }
    }

    private static string[] Near(string name)
    {
        var ranked = Names.Select(known => (Name: known, Distance: Distance(name, known))).OrderBy(n => n.Distance).ToList();
        var best = ranked[0].Distance;
        return best <= Math.Max(2, name.Length / 3) ? [.. ranked.TakeWhile(n => n.Distance == best).Select(n => n.Name)] : [];
    }

    /// <summary>Levenshtein's distance, whatever the case.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = diagonal + (char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1);
                (diagonal, row[j]) = (row[j], Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1])));
            }
        }

        return row[^1];
    }
}
