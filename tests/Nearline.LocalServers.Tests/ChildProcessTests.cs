using System.Globalization;
using Nearline.LocalServers.Processes;

namespace Nearline.LocalServers.Tests;

public sealed class ChildProcessTests
{
    private static ChildProcess Shell(string script, Action<string>? onLine = null, int keptLines = 500) =>
        ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "sh",
            Arguments = ["-c", script],
            Environment = new Dictionary<string, string?> { ["NL_TEST"] = "from us" },
            OnLine = onLine,
            KeptLines = keptLines,
        });

    private static bool Runs(int processId)
    {
        // A zombie has ended: its state letter follows the name's closing bracket.
        try
        {
            var stat = File.ReadAllText($"/proc/{processId}/stat");
            return stat[stat.LastIndexOf(')') + 2] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }

    [Fact]
    public async Task Lines_are_found_whether_they_came_before_or_come_after()
    {
        await using var child = Shell("echo \"$NL_TEST\"; echo ready >&2; sleep 600");
        Assert.Equal("ready", await child.WaitForLineAsync(l => l == "ready", Wait.Long));
        Assert.Equal("from us", await child.WaitForLineAsync(l => l.StartsWith("from", StringComparison.Ordinal), Wait.Long));
    }

    [Fact]
    public async Task An_early_exit_is_reported_with_the_last_output()
    {
        await using var child = Shell("echo cannot open the model >&2; exit 7");
        var error = await Assert.ThrowsAsync<ChildProcessException>(
            () => child.WaitForLineAsync(l => l == "ready", Wait.Long));
        Assert.Contains("exit code 7", error.Message, StringComparison.Ordinal);
        Assert.Contains("cannot open the model", error.Message, StringComparison.Ordinal);
        Assert.Equal(7, await child.WaitForExitAsync());
    }

    [Fact]
    public async Task A_line_that_does_not_come_times_out_with_the_output_so_far()
    {
        await using var child = Shell("echo loading; exec sleep 600");
        await child.WaitForLineAsync(l => l == "loading", Wait.Long);
        var error = await Assert.ThrowsAsync<TimeoutException>(
            () => child.WaitForLineAsync(l => l == "ready", TimeSpan.FromMilliseconds(50)));
        Assert.Contains("loading", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Terminate_can_be_handled_and_kill_cannot()
    {
        const string Script = "trap 'echo stopping; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
        await using var polite = Shell(Script);
        await polite.WaitForLineAsync(l => l == "ready", Wait.Long);
        polite.Terminate();
        Assert.Equal(3, await polite.WaitForExitAsync().WaitAsync(Wait.Long));
        Assert.Contains("stopping", polite.LastLines);

        await using var rude = Shell(Script);
        await rude.WaitForLineAsync(l => l == "ready", Wait.Long);
        rude.Kill();
        Assert.Equal(128 + 9, await rude.WaitForExitAsync().WaitAsync(Wait.Long));
        Assert.DoesNotContain("stopping", rude.LastLines);
        rude.Kill();
    }

    [Fact]
    public async Task Stop_kills_what_ignores_the_request()
    {
        await using var child = Shell("trap '' TERM; echo ready; while :; do sleep 0.05; done");
        await child.WaitForLineAsync(l => l == "ready", Wait.Long);
        Assert.Equal(128 + 9, await child.StopAsync(TimeSpan.FromMilliseconds(100)));
    }

    [Fact]
    public async Task The_buffer_keeps_the_last_lines_and_the_callback_sees_all()
    {
        var seen = new List<string>();
        await using var child = Shell("seq 1 1000", seen.Add, keptLines: 10);
        await child.WaitForExitAsync();
        var all = Enumerable.Range(1, 1000).Select(i => i.ToString(CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(all, seen);
        Assert.Equal(all[^10..], child.LastLines);
    }

    [Fact]
    public async Task Disposing_kills_grandchildren_too()
    {
        var child = Shell("sleep 600 & echo $!; wait");
        var grandchild = int.Parse(
            await child.WaitForLineAsync(_ => true, Wait.Long), CultureInfo.InvariantCulture);
        Assert.True(Runs(grandchild));
        await child.DisposeAsync();
        await Wait.UntilAsync(() => !Runs(grandchild), "the grandchild is gone");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_child_dies_with_its_parent_even_when_the_parent_is_killed(bool politely)
    {
        await using var parent = ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "dotnet",
            Arguments = [typeof(Program).Assembly.Location, "parent"],
        });
        var line = await parent.WaitForLineAsync(l => l.StartsWith("child ", StringComparison.Ordinal), Wait.Long);
        var child = int.Parse(line.AsSpan("child ".Length), CultureInfo.InvariantCulture);
        Assert.True(Runs(child));

        if (politely)
        {
            parent.Terminate();
        }
        else
        {
            parent.Kill();
        }

        await parent.WaitForExitAsync().WaitAsync(Wait.Long);
        await Wait.UntilAsync(() => !Runs(child), "the orphan is gone");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_missing_program_is_named(bool ownSession)
    {
        var error = Assert.Throws<ChildProcessException>(() => ChildProcess.Start(new ChildProcessOptions
        {
            FileName = "no-such-program-of-nearline",
            OwnSession = ownSession,
        }));
        Assert.Contains("no-such-program-of-nearline", error.Message, StringComparison.Ordinal);
    }
}
