using System.Net.Http.Headers;
using Grpc.Net.Client;
using Nearline.Cli.Console;

namespace Nearline.Cli.Commands;

/// <summary>A channel to the api, with the caller's key where there is one.</summary>
internal static class ApiChannel
{
    /// <summary>Where the key is looked for: on a command line every process of the machine could read it.</summary>
    public const string KeyVariable = "NEARLINE_API_KEY";

    /// <exception cref="CliException">The address is none.</exception>
    public static GrpcChannel Open(string address)
    {
        if (!Uri.TryCreate(address.Contains("://", StringComparison.Ordinal) ? address : $"http://{address}", UriKind.Absolute, out var uri) ||
            uri.Scheme is not ("http" or "https"))
        {
            throw new CliException($"--api is '{address}'; it must be like 127.0.0.1:5001, http://127.0.0.1:5001 or https://nearline.example:443");
        }

        var key = Environment.GetEnvironmentVariable(KeyVariable);
        return string.IsNullOrWhiteSpace(key)
            ? GrpcChannel.ForAddress(uri)
            : GrpcChannel.ForAddress(uri, new GrpcChannelOptions { HttpHandler = new KeyHandler(key.Trim()) });
    }

    private sealed class KeyHandler(string key) : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
