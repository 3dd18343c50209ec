using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Grpc.AspNetCore.Server.Calls;

/// <summary>Who is calling.</summary>
internal static class PeerIdentity
{
    private const string CommonName = "x509_common_name";
    private const string AlternativeName = "x509_subject_alternative_name";

    /// <summary>"ipv4:address:port" or "ipv6:[address]:port".</summary>
    public static string Address(ConnectionInfo connection) => connection.RemoteIpAddress switch
    {
        null => "unknown",
        { AddressFamily: AddressFamily.InterNetwork } ip => $"ipv4:{ip}:{connection.RemotePort}",
        { AddressFamily: AddressFamily.InterNetworkV6 } ip => $"ipv6:[{ip}]:{connection.RemotePort}",
        { } ip => $"unknown:{ip}:{connection.RemotePort}",
    };

    /// <summary>From the client's certificate; without one, nobody.</summary>
    public static AuthContext Of(ConnectionInfo connection)
    {
        var properties = new Dictionary<string, List<AuthProperty>>(StringComparer.Ordinal);
        string? identity = null;
        if (connection.ClientCertificate is { } certificate)
        {
            identity = Add(properties, CommonName, [certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false)]) ?? identity;
            var names = certificate.Extensions
                .OfType<X509SubjectAlternativeNameExtension>()
                .SelectMany(e => e.EnumerateDnsNames());
            identity = Add(properties, AlternativeName, names) ?? identity;
        }

        return new AuthContext(identity, properties);
    }

    private static string? Add(Dictionary<string, List<AuthProperty>> properties, string name, IEnumerable<string?> values)
    {
        var list = values
            .Where(v => !string.IsNullOrEmpty(v))
            .Select(v => AuthProperty.Create(name, Encoding.UTF8.GetBytes(v!)))
            .ToList();
        if (list.Count == 0)
        {
            return null;
        }

        properties[name] = list;
        return name;
    }
}
