using System.Buffers.Text;
using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Nearline.Cli.Console;

namespace Nearline.Cli.Commands;

/// <summary><c>nearline apikey</c>: a key for a client of the api, and what the api's configuration needs of it.</summary>
internal static class ApiKeyCommand
{
    // Tells people, and programs that look for leaked secrets, what a stray line is.
    private const string Prefix = "nlk_";
    private const int KeyBytes = 32;
    private static readonly string[] Roles = ["candidates", "admin"];

    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "the client's name: letters, digits, '-', '_' and '.'" };
        var roles = new Option<string>("--roles")
        {
            Description = "what it may do: candidates, admin, or both with a comma between",
            DefaultValueFactory = _ => Roles[0],
        };
        var command = new Command("apikey", "make a key for a client of the api, and the configuration that lets it in") { name, roles };
        command.SetAction(parsed =>
        {
            // Not through the console's layout, which would break long lines.
            foreach (var line in Lines(parsed.GetRequiredValue(name), parsed.GetRequiredValue(roles)))
            {
                System.Console.WriteLine(line);
            }

            return 0;
        });
        return command;
    }

    /// <summary>What is printed: the key, then the configuration in both its forms.</summary>
    /// <exception cref="CliException">A name or role that the api would refuse.</exception>
    internal static IReadOnlyList<string> Lines(string client, string granted)
    {
        Check(client, granted);
        var key = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(KeyBytes));
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        return
        [
            "The key, for the client's own secrets; it is kept nowhere and cannot be shown again:",
            key,
            "The api's configuration, as environment:",
            $"Api__Clients__{client}__Roles={granted}",
            $"Api__Clients__{client}__KeySha256={hash}",
            "or in appsettings.json:",
            JsonSerializer.Serialize(new { Api = new { Clients = new Dictionary<string, object>(StringComparer.Ordinal) { [client] = new { Roles = granted, KeySha256 = hash } } } }),
        ];
    }

    private static void Check(string client, string granted)
    {
        if (client.Length is 0 or > 64 || !client.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            throw new CliException($"name is '{client}'; it must be 1 to 64 letters, digits, '-', '_' or '.'");
        }

        if (granted.Split(',').Except(Roles, StringComparer.Ordinal).Any())
        {
            throw new CliException($"--roles is '{granted}'; it must be candidates, admin, or candidates,admin");
        }
    }
}
