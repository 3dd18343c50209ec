using System.Globalization;
using System.Text;

namespace Nearline.Compat.Telemetry.Tests;

internal sealed record Sample(string Name, IReadOnlyList<(string Name, string Value)> Labels, double Value);

/// <summary>
/// A reference parser of the text formats, written from their specification: one character at a time, with no mercy.
/// </summary>
internal sealed class Exposition
{
    public List<Sample> Samples { get; } = [];

    public Dictionary<string, string> Types { get; } = [];

    public Dictionary<string, string> Help { get; } = [];

    public Dictionary<string, string> Units { get; } = [];

    public bool HasEnd { get; private set; }

    public static Exposition Parse(string text, bool openMetrics)
    {
        var result = new Exposition();
        Assert.True(text.Length == 0 || text[^1] == '\n', "the last line has no end");
        foreach (var line in text.Split('\n')[..^1])
        {
            Assert.False(result.HasEnd, "a line after # EOF");
            if (line == "# EOF" && openMetrics)
            {
                result.HasEnd = true;
            }
            else if (line.StartsWith("# ", StringComparison.Ordinal))
            {
                result.ReadComment(line, openMetrics);
            }
            else
            {
                result.Samples.Add(new SampleReader(line).Read());
            }
        }

        return result;
    }

    private void ReadComment(string line, bool openMetrics)
    {
        var parts = line.Split(' ', 4);
        Assert.Equal(4, parts.Length);
        var target = parts[1] switch
        {
            "TYPE" => Types,
            "HELP" => Help,
            "UNIT" => Units,
            _ => throw new FormatException("Unknown comment: " + line),
        };
        AssertMetricName(parts[2]);
        Assert.True(target.TryAdd(parts[2], Unescape(parts[3], quotationMark: openMetrics)), "written twice: " + line);
    }

    private static string Unescape(string text, bool quotationMark)
    {
        var result = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                Assert.False(quotationMark && text[i] == '"', "a bare quotation mark");
                result.Append(text[i]);
                continue;
            }

            i++;
            result.Append(text[i] switch
            {
                '\\' => '\\',
                'n' => '\n',
                '"' when quotationMark => '"',
                var other => throw new FormatException($"Escape \\{other}"),
            });
        }

        return result.ToString();
    }

    private static void AssertMetricName(string name) => Assert.Matches("^[a-zA-Z_:][a-zA-Z0-9_:]*$", name);

    private sealed class SampleReader(string line)
    {
        private int _at;

        public Sample Read()
        {
            var name = Until('{', ' ');
            AssertMetricName(name);
            var labels = new List<(string, string)>();
            if (line[_at] == '{')
            {
                _at++;
                while (line[_at] != '}')
                {
                    labels.Add(ReadLabel());
                }

                _at++;
            }

            Assert.Equal(' ', line[_at]);
            var number = line[(_at + 1)..];
            var value = number switch
            {
                "+Inf" => double.PositiveInfinity,
                "-Inf" => double.NegativeInfinity,
                "NaN" => double.NaN,
                _ => double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture),
            };
            return new Sample(name, labels, value);
        }

        private (string Name, string Value) ReadLabel()
        {
            var name = Until('=');
            Assert.Matches("^[a-zA-Z_][a-zA-Z0-9_]*$", name);
            _at++;
            Assert.Equal('"', line[_at]);
            var start = ++_at;
            while (line[_at] != '"')
            {
                _at += line[_at] == '\\' ? 2 : 1;
            }

            var value = Unescape(line[start.._at], quotationMark: true);
            _at++;
            if (line[_at] == ',')
            {
                _at++;
                Assert.NotEqual('}', line[_at]);
            }
            else
            {
                Assert.Equal('}', line[_at]);
            }

            return (name, value);
        }

        private string Until(params char[] ends)
        {
            var end = line.IndexOfAny(ends, _at);
            Assert.True(end > _at, "not a sample: " + line);
            var result = line[_at..end];
            _at = end;
            return result;
        }
    }
}
