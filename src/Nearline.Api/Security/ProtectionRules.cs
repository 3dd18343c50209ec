using System.Globalization;
using System.Net;
using System.Security.Cryptography;

namespace Nearline.Api.Security;

/// <summary>Finds what is wrong with the settings that protect the service.</summary>
internal static class ProtectionRules
{
    private const int MaxName = 64;
    private const double MostPerSecond = 10_000_000;

    private static readonly string[] ClientKeys = Names<ClientOptions>();
    private static readonly string[] TlsKeys = Names<TlsOptions>();
    private static readonly string[] Prefixes = [CertificateNames.Uri, CertificateNames.Dns, CertificateNames.CommonName];

    public static IEnumerable<string> Problems(ApiOptions options, IConfigurationSection section) =>
    [
        .. Unknown(section.GetSection(nameof(options.Tls)), TlsKeys),
        .. section.GetSection(nameof(options.Clients)).GetChildren().SelectMany(client => Unknown(client, ClientKeys)),
        .. RateProblems("Api:", options.CallsPerSecond, options.CallsBurst),
        .. options.Clients.SelectMany(client => ClientProblems(client.Key, client.Value, options)),
        .. TwiceProblems(options, "KeySha256", client => ClientSettings.Hashes(client).Select(hash => hash.ToUpperInvariant())),
        .. TwiceProblems(options, "Certificates", ClientSettings.Certificates),
        .. TlsProblems(options.Tls),
        .. ExposureProblems(options),
    ];

    private static IEnumerable<string> Unknown(IConfigurationSection section, string[] keys) =>
        from key in section.GetChildren().Select(child => child.Key)
        where !keys.Contains(key, StringComparer.OrdinalIgnoreCase)
        select $"{section.Path}:{key} is not a setting; there are {string.Join(", ", keys)}";

    private static IEnumerable<string> ClientProblems(string name, ClientOptions client, ApiOptions options)
    {
        var path = $"Api:Clients:{name}";
        if (name.Length is 0 or > MaxName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            yield return $"{path} has a bad name; it must be 1 to {MaxName} letters, digits, '-', '_' or '.'";
        }

        var roles = ClientSettings.Split(client.Roles);
        if (roles.Length == 0 || roles.Except(ClientSettings.RoleNames, StringComparer.Ordinal).Any())
        {
            yield return $"{path}:Roles is '{client.Roles}'; it must be {string.Join(", ", ClientSettings.RoleNames)}, or both with a comma between";
        }

        var (hashes, certificates) = (ClientSettings.Hashes(client), ClientSettings.Certificates(client));
        if (hashes.Length == 0 && certificates.Length == 0)
        {
            yield return $"{path} can prove itself by nothing; set KeySha256 (nearline apikey makes a key) or Certificates";
        }

        foreach (var hash in hashes)
        {
            if (hash.Length != SHA256.HashSizeInBytes * 2 || !hash.All(char.IsAsciiHexDigit))
            {
                // Not shown: it may be the key itself.
                yield return $"{path}:KeySha256 has an entry of {hash.Length} characters; each must be the 64 hexadecimal digits that nearline apikey prints";
            }
        }

        foreach (var certificate in certificates)
        {
            if (!Prefixes.Any(prefix => certificate.StartsWith(prefix, StringComparison.Ordinal) && certificate.Length > prefix.Length))
            {
                yield return $"{path}:Certificates has '{certificate}'; each must be uri:URI, dns:NAME or cn:NAME";
            }
        }

        if (certificates.Length > 0 && options.Tls.ClientCa.Length == 0)
        {
            yield return $"{path}:Certificates is set, but no client certificate is asked for; set Api:Tls:ClientCa";
        }

        foreach (var problem in RateProblems(path + ":", client.CallsPerSecond ?? 0, client.CallsBurst ?? 0))
        {
            yield return problem;
        }
    }

    private static IEnumerable<string> TwiceProblems(
        ApiOptions options, string key, Func<ClientOptions, IEnumerable<string>> entries) =>
        from entry in options.Clients.SelectMany(client => entries(client.Value).Select(value => (Name: client.Key, Value: value)))
        group entry.Name by entry.Value into owners
        where owners.Count() > 1
        select $"Api:Clients:{string.Join(" and ", owners)} have an entry of {key} in common; it must be one client's, once";

    private static IEnumerable<string> RateProblems(string path, double perSecond, int burst)
    {
        if (perSecond is not (0 or >= 0.001 and <= MostPerSecond))
        {
            yield return Text($"{path}CallsPerSecond is {perSecond}; it must be from 0.001 to {MostPerSecond}, or 0 for no limit");
        }

        if (burst is < 0 or > (int)MostPerSecond)
        {
            yield return Text($"{path}CallsBurst is {burst}; it must be from 1 to {MostPerSecond}, or 0 for one second's worth");
        }
    }

    private static IEnumerable<string> TlsProblems(TlsOptions tls)
    {
        if (tls.Certificate.Length == 0)
        {
            if (tls.Key.Length > 0 || tls.ClientCa.Length > 0)
            {
                yield return $"Api:Tls:{(tls.Key.Length > 0 ? "Key" : "ClientCa")} is set, but Api:Tls:Certificate is not; it must be a PEM file";
            }

            yield break;
        }

        if (tls.Reload < TimeSpan.FromMilliseconds(100) || tls.Reload > TimeSpan.FromHours(1))
        {
            yield return $"Api:Tls:Reload is {tls.Reload}; it must be from 00:00:00.100 to 01:00:00 (hh:mm:ss.fff)";
        }

        string? problem = null;
        try
        {
            TlsMaterial.Load(TlsFiles.Read(tls), tls);
        }
        catch (InvalidDataException e)
        {
            problem = e.Message;
        }

        if (problem is not null)
        {
            yield return problem;
        }
    }

    // What may be open, and what may be in the clear, is for the operator to say, not for a forgotten setting.
    private static IEnumerable<string> ExposureProblems(ApiOptions options)
    {
        if (!IPAddress.TryParse(options.BindAddress, out var address) || IPAddress.IsLoopback(address))
        {
            if (options is { Tls.ClientCa.Length: > 0, Clients.Count: 0, AllowAnonymous: false })
            {
                yield return "Api:Tls:ClientCa is set, but no client may call; name them in Api:Clients, or set Api:AllowAnonymous=true to let in every certificate of that authority";
            }

            yield break;
        }

        if (options is { Clients.Count: 0, AllowAnonymous: false })
        {
            yield return $"Api:BindAddress is {options.BindAddress}, where others can reach it, and nothing says who may call; "
                + "name clients in Api:Clients (nearline apikey makes a key), or set Api:AllowAnonymous=true to let everybody read candidates";
        }

        if (options is { Tls.Certificate.Length: 0, AllowCleartextKeys: false } && options.Clients.Values.Any(client => client.KeySha256.Length > 0))
        {
            yield return $"Api:BindAddress is {options.BindAddress} and clients have keys, which would cross the network in the clear; "
                + "set Api:Tls:Certificate and Api:Tls:Key, or Api:AllowCleartextKeys=true where a mesh or proxy encrypts";
        }
    }

    private static string[] Names<T>() => [.. typeof(T).GetProperties().Select(property => property.Name)];

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
