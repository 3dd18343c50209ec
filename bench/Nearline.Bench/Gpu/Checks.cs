using System.Diagnostics;
using System.Globalization;

namespace Nearline.Bench.Gpu;

/// <summary>Runs checks one after another; a check that fails says so and the next one runs.</summary>
internal sealed class Checks(TextWriter output)
{
    public int Passed { get; private set; }

    public int Failed { get; private set; }

    /// <summary>Runs a check and prints a line.</summary>
    /// <param name="name">What is checked.</param>
    /// <param name="check">What was seen, for the line; throws where it is not as it must be.</param>
    public void Run(string name, Func<string> check)
    {
        var start = Stopwatch.GetTimestamp();
        string said;
        try
        {
            said = $"ok      {name}: {check()}";
            Passed++;
        }
        catch (Exception e)
        {
            // Whatever goes wrong on a device is a finding; those after it still say something.
            said = $"FAILED  {name}: {e.GetType().Name}: {e.Message.Trim()}{(e is CheckFailedException ? "" : "\n" + e.StackTrace)}";
            Failed++;
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{said} ({Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s)"));
        output.Flush();
    }

    /// <summary>Fails the check that runs unless something holds.</summary>
    public static void That(bool holds, FormattableString otherwise)
    {
        if (!holds)
        {
            throw new CheckFailedException(FormattableString.Invariant(otherwise));
        }
    }
}
