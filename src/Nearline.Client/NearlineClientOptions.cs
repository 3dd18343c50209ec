namespace Nearline.Client;

/// <summary>How a <see cref="NearlineClient"/> reaches the api.</summary>
public sealed class NearlineClientOptions
{
    /// <summary>Where the api is: <c>https://HOST:PORT</c>, or <c>http://</c> without TLS. Required.</summary>
    public Uri? Address { get; set; }

    /// <summary>The key that <c>nearline apikey</c> printed. Null: none.</summary>
    public string? ApiKey { get; set; }

    /// <summary>Sends <see cref="ApiKey"/> over plain http to another machine, where a mesh or proxy encrypts. Default false.</summary>
    public bool AllowCleartextKey { get; set; }

    /// <summary>PEM file of the authorities whose certificates the api may show. Null: those of the system.</summary>
    public string? CaFile { get; set; }

    /// <summary>PEM file of this client's certificate; read anew for each connection. Null: none.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>PEM file of the certificate's private key.</summary>
    public string? KeyFile { get; set; }

    /// <summary>
    /// The deadline of each call, retries included; streams excepted. 1 ms to 10 min. Default 100 ms: twice what the api
    /// waits for Redis before it answers from memory, so that a caller gets that answer.
    /// </summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How often a call that got UNAVAILABLE is sent, the first time included. 1, no retries, to 5; default 3.</summary>
    public int MaxAttempts { get; set; } = 3;

    /// <summary>
    /// Sends GetCandidates a second time when there is no answer after this long, and takes whichever comes first. It cuts
    /// the slowest answers for some more load: choose the 99th percentile, not less. Null, the default: never.
    /// </summary>
    public TimeSpan? HedgeAfter { get; set; }

    /// <summary>
    /// After this long a connection makes place for a new one, which finds instances that have come since. 1 s to 1 d;
    /// default 5 min.
    /// </summary>
    public TimeSpan ConnectionLifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <exception cref="ArgumentException">A setting cannot work; the message names it, its value and what would be right.</exception>
    internal void Check()
    {
        if (Address is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
        {
            throw Bad(nameof(Address), $"Address is '{Address}'; it must be like https://nearline:5001 or http://127.0.0.1:5001");
        }

        if (ApiKey is not null && Address.Scheme == "http" && !Address.IsLoopback && !AllowCleartextKey)
        {
            throw Bad(nameof(ApiKey), $"Address is '{Address}' and ApiKey is set, which would cross the network in the clear; use https, or set AllowCleartextKey where a mesh or proxy encrypts");
        }

        if (ApiKey is not null && (ApiKey.Length == 0 || ApiKey.AsSpan().ContainsAnyExceptInRange('!', '~')))
        {
            throw Bad(nameof(ApiKey), "ApiKey is empty or has blanks or characters that are not ASCII; it must be the line that nearline apikey printed");
        }

        if ((CertificateFile is null) != (KeyFile is null))
        {
            throw Bad(nameof(CertificateFile), $"CertificateFile is '{CertificateFile}' and KeyFile is '{KeyFile}'; set both or neither");
        }

        if (Address.Scheme == "http" && (CertificateFile ?? CaFile) is { } file)
        {
            throw Bad(nameof(Address), $"Address is '{Address}', which has no use for '{file}'; use https");
        }

        Range(nameof(Deadline), Deadline, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(10));
        Range(nameof(ConnectionLifetime), ConnectionLifetime, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        if (HedgeAfter is { } after)
        {
            Range(nameof(HedgeAfter), after, TimeSpan.FromMilliseconds(1), Deadline);
        }

        if (MaxAttempts is < 1 or > 5)
        {
            throw Bad(nameof(MaxAttempts), $"MaxAttempts is {MaxAttempts}; it must be from 1 to 5");
        }
    }

    private static void Range(string name, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value < least || value > most)
        {
            throw Bad(name, $"{name} is {value}; it must be from {least} to {most}");
        }
    }

    private static ArgumentException Bad(string setting, string message) => new(message, setting);
}
