using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nearline.Api.Security;

/// <summary>Certificates, ready for handshakes.</summary>
internal sealed class TlsMaterial
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly SslStreamCertificateContext _server;
    private readonly X509Certificate2Collection? _clientAuthorities;

    private TlsMaterial(X509Certificate2 server, X509Certificate2Collection between, X509Certificate2Collection? clientAuthorities)
    {
        _server = SslStreamCertificateContext.Create(server, between, offline: true);
        _clientAuthorities = clientAuthorities;
        NotAfter = server.NotAfter.ToUniversalTime();
    }

    /// <summary>When the server's certificate ends to be valid.</summary>
    public DateTime NotAfter { get; }

    /// <exception cref="InvalidDataException">A file does not hold what it should; the message says which.</exception>
    public static TlsMaterial Load(TlsFiles files, TlsOptions options)
    {
        X509Certificate2 server;
        var chain = new X509Certificate2Collection();
        try
        {
            server = X509Certificate2.CreateFromPem(files.Certificate, files.Key);
            chain.ImportFromPem(files.Certificate);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException(
                $"Api:Tls:Certificate is '{options.Certificate}' and Api:Tls:Key is '{options.Key}', which do not hold a certificate and its private key in PEM ({e.Message})", e);
        }

        // The first of the file is the server's own.
        chain.RemoveAt(0);
        return new TlsMaterial(server, chain, Authorities(files, options));
    }

    /// <summary>How to shake hands now.</summary>
    public SslServerAuthenticationOptions ForHandshake()
    {
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = _server,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
        if (_clientAuthorities is not null)
        {
            options.ClientCertificateRequired = true;
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
                ApplicationPolicy = { new Oid(ClientAuthentication) },
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(_clientAuthorities);
        }

        return options;
    }

    private static X509Certificate2Collection? Authorities(TlsFiles files, TlsOptions options)
    {
        if (options.ClientCa.Length == 0)
        {
            return null;
        }

        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPem(files.ClientCa);
        }
        catch (CryptographicException e)
        {
            throw new InvalidDataException($"Api:Tls:ClientCa is '{options.ClientCa}', which holds a bad certificate ({e.Message})", e);
        }

        return authorities.Count > 0
            ? authorities
            : throw new InvalidDataException($"Api:Tls:ClientCa is '{options.ClientCa}', which holds no certificate in PEM; it must hold at least one");
    }
}
