using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Nearline.Api.Security;

/// <summary>Who may call, as configuration says; made once, then only read.</summary>
internal sealed class ClientDirectory
{
    private const string Scheme = "Bearer ";
    private const int MaxHeader = 256;
    private const int MaxKnownHeaders = 1024;

    private readonly (byte[] Hash, Client Client)[] _keys;
    private readonly FrozenDictionary<string, Client> _names;
    private readonly bool _takesCertificates;

    // A header is hashed once. Only headers with a right key get here, so a stranger cannot fill it; nor can its look-up
    // be timed, as strings are found by a hash whose seed is random.
    private readonly ConcurrentDictionary<string, Client> _headers = new(StringComparer.Ordinal);

    // A connection's certificate is one object for all its calls.
    private readonly ConditionalWeakTable<X509Certificate2, StrongBox<Client?>> _certificates = [];

    private ClientDirectory(ApiOptions options, TimeProvider time)
    {
        var keys = new List<(byte[], Client)>();
        var names = new Dictionary<string, Client>(StringComparer.Ordinal);
        foreach (var (name, settings) in options.Clients)
        {
            var client = new Client(name, ClientSettings.Roles(settings), Bucket(settings, options, time));
            keys.AddRange(ClientSettings.Hashes(settings).Select(hash => (Convert.FromHexString(hash), client)));
            foreach (var certificate in ClientSettings.Certificates(settings))
            {
                names[certificate] = client;
            }
        }

        _keys = [.. keys];
        _names = names.ToFrozenDictionary(StringComparer.Ordinal);
        _takesCertificates = options.Tls.ClientCa.Length > 0;
        Addresses = options.CallsPerSecond > 0
            ? new AddressBuckets(options.CallsPerSecond, ClientSettings.Burst(options.CallsPerSecond, options.CallsBurst), time)
            : null;
        if (!IsClosed(options))
        {
            Nameless = new Client("", Roles.Candidates | Roles.Admin, Calls: null);
        }
        else if (options.AllowAnonymous)
        {
            Nameless = new Client("", Roles.Candidates, Calls: null);
        }
    }

    /// <summary>Who callers without credentials are; null: nobody.</summary>
    public Client? Nameless { get; }

    /// <summary>The limits of callers without a name; null: none.</summary>
    public AddressBuckets? Addresses { get; }

    public static ClientDirectory Of(ApiOptions options, TimeProvider time) => new(options, time);

    /// <summary>Whether callers must say who they are: off only on loopback, and there only while no client is named.</summary>
    public static bool IsClosed(ApiOptions options) =>
        options.Clients.Count > 0
        || options.Tls.ClientCa.Length > 0
        || !(IPAddress.TryParse(options.BindAddress, out var address) && IPAddress.IsLoopback(address));

    /// <summary>Who makes this call; null: nobody that is known.</summary>
    public Client? Identify(HttpContext call)
    {
        var authorization = call.Request.Headers.Authorization;
        if (authorization.Count > 0 && _keys.Length > 0)
        {
            // Two of them are as good as none: which would be meant?
            return authorization.Count == 1 ? ByHeader(authorization[0]!) : null;
        }

        return _takesCertificates && call.Connection.ClientCertificate is { } certificate
            ? ByCertificate(certificate) ?? Nameless
            : Nameless;
    }

    private Client? ByHeader(string header)
    {
        if (_headers.TryGetValue(header, out var known))
        {
            return known;
        }

        if (header.Length > MaxHeader || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(header[Scheme.Length..].Trim()), hash);
        Client? found = null;
        foreach (var (expected, client) in _keys)
        {
            // Every key is looked at whole, so that the time tells nothing of how near a wrong one came.
            if (CryptographicOperations.FixedTimeEquals(hash, expected))
            {
                found = client;
            }
        }

        if (found is not null && _headers.Count < MaxKnownHeaders)
        {
            _headers.TryAdd(header, found);
        }

        return found;
    }

    private Client? ByCertificate(X509Certificate2 certificate)
    {
        if (!_certificates.TryGetValue(certificate, out var known))
        {
            var name = CertificateNames.Of(certificate).FirstOrDefault(_names.ContainsKey);
            known = new StrongBox<Client?>(name is null ? null : _names[name]);
            _certificates.AddOrUpdate(certificate, known);
        }

        return known.Value;
    }

    private static TokenBucket? Bucket(ClientOptions settings, ApiOptions options, TimeProvider time)
    {
        var perSecond = settings.CallsPerSecond ?? options.CallsPerSecond;
        return perSecond > 0
            ? new TokenBucket(perSecond, ClientSettings.Burst(perSecond, settings.CallsBurst ?? options.CallsBurst), time)
            : null;
    }
}
