using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Nearline.Cli.Commands;
using Nearline.Cli.Console;

namespace Nearline.Cli.Tests;

public sealed class ApiKeyCommandTests
{
    [Fact]
    public void The_configuration_holds_the_keys_hash_and_not_the_key()
    {
        var lines = ApiKeyCommand.Lines("ranking", "candidates,admin");

        var key = Assert.Single(lines, line => line.StartsWith("nlk_", StringComparison.Ordinal));
        Assert.Equal(4 + 43, key.Length);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        Assert.Contains($"Api__Clients__ranking__KeySha256={hash}", lines);
        Assert.Contains("Api__Clients__ranking__Roles=candidates,admin", lines);
        using var json = JsonDocument.Parse(lines[^1]);
        var client = json.RootElement.GetProperty("Api").GetProperty("Clients").GetProperty("ranking");
        Assert.Equal(hash, client.GetProperty("KeySha256").GetString());
        Assert.Equal("candidates,admin", client.GetProperty("Roles").GetString());
        Assert.Single(lines, line => line.Contains(key, StringComparison.Ordinal));
        Assert.NotEqual(key, ApiKeyCommand.Lines("ranking", "candidates")[1]);
    }

    [Theory]
    [InlineData("", "candidates", "name is ''")]
    [InlineData("a:b", "candidates", "name is 'a:b'")]
    [InlineData("ranking", "root", "--roles is 'root'")]
    [InlineData("ranking", "", "--roles is ''")]
    public void What_the_api_would_refuse_is_refused(string name, string roles, string message)
    {
        var failure = Assert.Throws<CliException>(() => ApiKeyCommand.Lines(name, roles));

        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }
}
