namespace Nearline.Api.Security;

/// <summary>What stands in the files of <see cref="TlsOptions"/>.</summary>
internal sealed record TlsFiles(string Certificate, string Key, string ClientCa)
{
    /// <exception cref="InvalidDataException">One cannot be read.</exception>
    public static TlsFiles Read(TlsOptions options) => new(
        Text(nameof(options.Certificate), options.Certificate),
        Text(nameof(options.Key), options.Key),
        options.ClientCa.Length == 0 ? "" : Text(nameof(options.ClientCa), options.ClientCa));

    private static string Text(string key, string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InvalidDataException($"Api:Tls:{key} is '{path}', which cannot be read ({e.Message}); it must be a PEM file", e);
        }
    }
}
