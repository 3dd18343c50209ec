using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nearline.Api.Tests.Support;

/// <summary>A certificate authority for one test, and the PEM files of what it issues.</summary>
internal sealed class TestAuthority : IDisposable
{
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);
    private readonly X509Certificate2 _own;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("nearline-tls-");

    public TestAuthority(string name = "Nearline test authority")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        _own = request.CreateSelfSigned(DateTimeOffset.UtcNow - Life, DateTimeOffset.UtcNow + Life);
        Write(File, _own.ExportCertificatePem());
    }

    /// <summary>The authority's own certificate.</summary>
    public string File => Path("ca.pem");

    /// <summary>A path in the authority's own directory.</summary>
    public string Path(string name) => System.IO.Path.Combine(_directory.FullName, name);

    /// <summary>Writes NAME.crt and NAME.key of a server at 127.0.0.1.</summary>
    public (string Certificate, string Key) Server(string name)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        return Issue(name, "1.3.6.1.5.5.7.3.1", names);
    }

    /// <summary>Writes NAME.crt and NAME.key of a client.</summary>
    public (string Certificate, string Key) Client(string name, string? uri = null, string? dns = null)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddEmailAddress("nobody@example.com");
        if (dns is not null)
        {
            names.AddDnsName(dns);
        }

        if (uri is not null)
        {
            names.AddUri(new Uri(uri));
        }

        return Issue(name, "1.3.6.1.5.5.7.3.2", names);
    }

    /// <summary>A handler that trusts this authority and shows the certificate, if there is one.</summary>
    public SocketsHttpHandler Handler((string Certificate, string Key)? client = null)
    {
        var handler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            CustomTrustStore = { _own },
        };
        if (client is { } files)
        {
            handler.SslOptions.ClientCertificates = [X509Certificate2.CreateFromPemFile(files.Certificate, files.Key)];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, certificates, _, _) => certificates[0];
        }

        return handler;
    }

    public void Dispose()
    {
        _own.Dispose();
        _directory.Delete(recursive: true);
    }

    private (string Certificate, string Key) Issue(string name, string usage, SubjectAlternativeNameBuilder names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        using var certificate = request.Create(
            _own, DateTimeOffset.UtcNow - (Life / 2), DateTimeOffset.UtcNow + (Life / 2), RandomNumberGenerator.GetBytes(8));
        Write(Path($"{name}.crt"), certificate.ExportCertificatePem());
        Write(Path($"{name}.key"), key.ExportPkcs8PrivateKeyPem());
        return (Path($"{name}.crt"), Path($"{name}.key"));
    }

    // Renamed into place: who reads it meanwhile gets the one or the other.
    private static void Write(string path, string text)
    {
        System.IO.File.WriteAllText(path + ".new", text);
        System.IO.File.Move(path + ".new", path, overwrite: true);
    }
}
