using Nearline.Cli.Commands;
using Nearline.Cli.Console;

namespace Nearline.Cli.Tests;

public sealed class GetCommandTests
{
    [Theory]
    [InlineData("http://127.0.0.1:5001", "127.0.0.1:5001")]
    [InlineData("127.0.0.1:5001", "127.0.0.1:5001")]
    [InlineData("localhost:7", "localhost:7")]
    public void Address_may_leave_out_its_scheme(string address, string target)
    {
        using var channel = ApiChannel.Open(address);

        Assert.Equal(target, channel.Target);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ftp://127.0.0.1:5001")]
    [InlineData("127.0.0.1:port")]
    public void What_is_no_address_is_refused_by_option_and_value(string address)
    {
        var error = Assert.Throws<CliException>(() => ApiChannel.Open(address).Dispose());

        Assert.Contains($"--api is '{address}'", error.Message, StringComparison.Ordinal);
    }
}
