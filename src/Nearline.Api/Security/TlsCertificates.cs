using Microsoft.Extensions.Options;
using Nearline.Api.Telemetry;

namespace Nearline.Api.Security;

/// <summary>
/// The certificates of now. Files are read again, not watched: where they are mounted from a secret, a link above them
/// is what changes. New connections get the new certificates; those that are open stay.
/// </summary>
internal sealed partial class TlsCertificates(
    IOptions<ApiOptions> options, ApiMetrics metrics, TimeProvider time, ILogger<TlsCertificates> logger) : BackgroundService
{
    private TlsFiles? _files;
    private volatile TlsMaterial? _material;

    /// <summary>Whether the gRPC endpoint speaks TLS.</summary>
    public bool Enabled => options.Value.Tls.Certificate.Length > 0;

    /// <summary>What handshakes use.</summary>
    public TlsMaterial Current => _material ??= Load();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!Enabled)
        {
            return;
        }

        _ = Current;
        metrics.ObserveCertificate(() => new DateTimeOffset(Current.NotAfter).ToUnixTimeSeconds());
        using var timer = new PeriodicTimer(options.Value.Tls.Reload, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                Reload();
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private TlsMaterial Load()
    {
        var files = TlsFiles.Read(options.Value.Tls);
        var material = TlsMaterial.Load(files, options.Value.Tls);
        _files = files;
        return material;
    }

    private void Reload()
    {
        try
        {
            var files = TlsFiles.Read(options.Value.Tls);
            if (files != _files)
            {
                _material = TlsMaterial.Load(files, options.Value.Tls);
                _files = files;
                LogReloaded(Current.NotAfter);
            }
        }
        catch (InvalidDataException e)
        {
            // Perhaps half of the files are new: the next look tells. Until then the old ones serve.
            LogKept(e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "New TLS certificates are in use; the server's is valid until {NotAfter:u}")]
    private partial void LogReloaded(DateTime notAfter);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The TLS certificates stay as they are: {Problem}")]
    private partial void LogKept(string problem);
}
