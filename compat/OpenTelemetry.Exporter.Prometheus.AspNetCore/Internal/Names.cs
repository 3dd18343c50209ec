using System.Text;

namespace OpenTelemetry.Exporter.Prometheus;

/// <summary>Makes Prometheus names: every run of other characters becomes one underscore.</summary>
internal static class Names
{
    /// <summary>A metric name ([a-zA-Z_:][a-zA-Z0-9_:]*): a leading digit is replaced, underscores are never doubled.</summary>
    /// <param name="name">Any name.</param>
    /// <param name="collapseOnly">Keep a leading digit: the text is a part of a name, not its start.</param>
    public static string Sanitize(string name, bool collapseOnly = false)
    {
        var result = new StringBuilder(name.Length);
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            var keep = char.IsAsciiLetter(c) || c == ':' || (char.IsAsciiDigit(c) && (i > 0 || collapseOnly));
            Append(result, keep, c);
        }

        return result.ToString();
    }

    /// <summary>A label name ([a-zA-Z_][a-zA-Z0-9_]*): a leading digit gets an underscore before it; an empty name is one underscore.</summary>
    public static string SanitizeLabel(string name)
    {
        if (IsLabelName(name))
        {
            return name;
        }

        if (name.Length == 0)
        {
            return "_";
        }

        var result = new StringBuilder(name.Length + 1);
        if (char.IsAsciiDigit(name[0]))
        {
            result.Append('_');
        }

        foreach (var c in name)
        {
            if (char.IsAsciiLetterOrDigit(c) || c == '_')
            {
                result.Append(c);
            }
            else if (result.Length == 0 || result[^1] != '_')
            {
                result.Append('_');
            }
        }

        return result.ToString();
    }

    private static void Append(StringBuilder result, bool keep, char c)
    {
        if (keep)
        {
            result.Append(c);
        }
        else if (result.Length == 0 || result[^1] != '_')
        {
            result.Append('_');
        }
    }

    private static bool IsLabelName(string name)
    {
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_')
            {
                return false;
            }
        }

        return name.Length > 0 && !char.IsAsciiDigit(name[0]);
    }
}
