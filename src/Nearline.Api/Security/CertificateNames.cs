using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace Nearline.Api.Security;

/// <summary>The names in a client certificate, in the form of <see cref="ClientOptions.Certificates"/>.</summary>
internal static class CertificateNames
{
    public const string Uri = "uri:";
    public const string Dns = "dns:";
    public const string CommonName = "cn:";
    private const string AlternativeNameOid = "2.5.29.17";

    // GeneralName's choices of RFC 5280, section 4.2.1.6.
    private static readonly Asn1Tag DnsTag = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    /// <summary>The alternative names in their order, then the common name.</summary>
    public static IEnumerable<string> Of(X509Certificate2 certificate)
    {
        var names = new List<string>();
        foreach (var extension in certificate.Extensions)
        {
            if (string.Equals(extension.Oid?.Value, AlternativeNameOid, StringComparison.Ordinal))
            {
                Read(extension.RawData, names);
            }
        }

        if (certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { Length: > 0 } common)
        {
            names.Add(CommonName + common);
        }

        return names;
    }

    private static void Read(byte[] extension, List<string> names)
    {
        var reader = new AsnReader(extension, AsnEncodingRules.DER).ReadSequence();
        while (reader.HasData)
        {
            var tag = reader.PeekTag();
            if (tag.HasSameClassAndValue(UriTag))
            {
                names.Add(Uri + reader.ReadCharacterString(UniversalTagNumber.IA5String, UriTag));
            }
            else if (tag.HasSameClassAndValue(DnsTag))
            {
                names.Add(Dns + reader.ReadCharacterString(UniversalTagNumber.IA5String, DnsTag));
            }
            else
            {
                reader.ReadEncodedValue();
            }
        }
    }
}
