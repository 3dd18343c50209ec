namespace Grpc.Net.Client.Configuration;

/// <summary>A method, a service, or all.</summary>
public sealed class MethodName
{
    /// <summary>All methods.</summary>
    public static readonly MethodName Default = new();

    /// <summary>Null or empty for all of the service.</summary>
    public string? Method { get; set; }

    /// <summary>With its package; null or empty for all.</summary>
    public string? Service { get; set; }
}
