namespace Nearline.Api.Security;

/// <summary>TLS of the gRPC endpoint; section <c>Api:Tls</c>. Files are read again when they change.</summary>
public sealed class TlsOptions
{
    /// <summary>PEM file: the server's certificate, then those between it and its authority. Empty, the default: no TLS.</summary>
    public string Certificate { get; set; } = "";

    /// <summary>PEM file: the certificate's private key, not encrypted.</summary>
    public string Key { get; set; } = "";

    /// <summary>PEM file: authorities of client certificates. Set: every client must have a certificate of theirs.</summary>
    public string ClientCa { get; set; } = "";

    /// <summary>How often the files are looked at. 100 ms to 1 h; default 10 s.</summary>
    public TimeSpan Reload { get; set; } = TimeSpan.FromSeconds(10);
}
