using System.Globalization;
using System.Reflection;
using Nearline.Cli.Console;

namespace Nearline.Cli.Modelling;

/// <summary>
/// Assignments such as <c>Epochs=30</c> or <c>SinHidden=64,64</c> to the public options of records, numbers, texts,
/// choices and lists, by name in any case.
/// </summary>
/// <param name="types">The records' types; no two have an option of the same name.</param>
internal sealed class OptionAssignments(params Type[] types)
{
    private readonly Dictionary<string, PropertyInfo> properties = types
        .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        .Where(p => p.SetMethod is { IsPublic: true })
        .ToDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The options that there are.</summary>
    public IReadOnlyCollection<string> Names => properties.Keys;

    /// <summary>Makes assignments, in their order.</summary>
    /// <param name="option">The command line's option that they come from, for errors.</param>
    /// <param name="assignments">Each a name, an equals sign and a value.</param>
    /// <param name="targets">A record of each type, which nobody else holds: it is changed.</param>
    /// <exception cref="CliException">A name is unknown, or a value makes no sense; the message says what would.</exception>
    public void Set(string option, IEnumerable<string> assignments, params object[] targets)
    {
        foreach (var assignment in assignments)
        {
            var (property, text) = Parse(option, assignment);
            property.SetValue(targets.Single(t => t.GetType() == property.DeclaringType), Value(option, property, text));
        }
    }

    /// <summary>Runs a record's own check; what it refuses is the user's to mend.</summary>
    public static void Check(string option, Action validate)
    {
        try
        {
            validate();
        }
        catch (ArgumentException e)
        {
            // The exception's own text ends with the parameter's name, which the message begins with.
            throw new CliException($"{option}: {e.Message.Replace($" (Parameter '{e.ParamName}')", "", StringComparison.Ordinal)}");
        }
    }

    private (PropertyInfo Property, string Text) Parse(string option, string assignment)
    {
        var at = assignment.IndexOf('=', StringComparison.Ordinal);
        if (at < 0)
        {
            throw new CliException($"{option} is '{assignment}'; it must be a name, an equals sign and a value, such as Epochs=30");
        }

        var name = assignment[..at].Trim();
        if (!properties.TryGetValue(name, out var property))
        {
            var near = Near(name);
            throw new CliException(
                $"{option} is '{assignment}'; there is no option '{name}'" +
                (near.Length > 0 ? $", did you mean {string.Join(" or ", near)}?" : $"; there are {string.Join(", ", Names.Order(StringComparer.Ordinal))}"));
        }

        return (property, assignment[(at + 1)..].Trim());
    }

    private static object? Value(string option, PropertyInfo property, string text)
    {
        var type = property.PropertyType;
        if (type == typeof(IReadOnlyList<int>))
        {
            return text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(part => (int)Scalar(option, property, typeof(int), part, text, "whole numbers with commas between, or nothing"))
                .ToArray();
        }

        var inner = Nullable.GetUnderlyingType(type);
        return inner is not null && text.Length == 0 ? null : Scalar(option, property, inner ?? type, text, text, null);
    }

    private static object Scalar(string option, PropertyInfo property, Type type, string part, string text, string? rule)
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
            : throw new CliException($"{option} {property.Name}: options of type {type.Name} cannot be set here");

        CliException Wrong(string must) => new($"{option} {property.Name} is '{text}'; it must be {must}");
    }

    private string[] Near(string name)
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
