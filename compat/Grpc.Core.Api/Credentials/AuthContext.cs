using System.Text;
using Grpc.Core.Utils;

namespace Grpc.Core;

/// <summary>What is known of the peer by its authentication.</summary>
public class AuthContext
{
    private readonly Dictionary<string, List<AuthProperty>> properties;

    public AuthContext(string? peerIdentityPropertyName, Dictionary<string, List<AuthProperty>> properties)
    {
        PeerIdentityPropertyName = peerIdentityPropertyName;
        this.properties = GrpcPreconditions.CheckNotNull(properties, nameof(properties));
    }

    public bool IsPeerAuthenticated => PeerIdentityPropertyName is not null;

    public string? PeerIdentityPropertyName { get; }

    /// <summary>The properties that name the peer; empty where it is not authenticated.</summary>
    public IEnumerable<AuthProperty> PeerIdentity =>
        PeerIdentityPropertyName is { } name ? FindPropertiesByName(name) : [];

    public IEnumerable<AuthProperty> Properties => properties.Values.SelectMany(p => p);

    public IEnumerable<AuthProperty> FindPropertiesByName(string propertyName) =>
        properties.TryGetValue(propertyName, out var found) ? found : [];
}

/// <summary>One property of a peer.</summary>
public class AuthProperty
{
    private readonly byte[] valueBytes;
    private string? value;

    private AuthProperty(string name, byte[] valueBytes)
    {
        Name = GrpcPreconditions.CheckNotNull(name, nameof(name));
        this.valueBytes = GrpcPreconditions.CheckNotNull(valueBytes, nameof(valueBytes));
    }

    public string Name { get; }

    /// <summary>The bytes read as UTF-8.</summary>
    public string Value => value ??= Encoding.UTF8.GetString(valueBytes);

    public byte[] ValueBytes => (byte[])valueBytes.Clone();

    public static AuthProperty Create(string name, byte[] valueBytes) => new(name, (byte[])valueBytes.Clone());
}
