using System.Security.Cryptography;
using System.Text;
using Grpc.Core;

namespace Nearline.Api.Tests.Support;

/// <summary>Keys of tests, and what configuration and callers make of them.</summary>
internal static class ApiKeys
{
    public static string Hash(string key) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    public static Metadata Header(string key) => new() { { "authorization", $"Bearer {key}" } };

    /// <summary>A client's settings.</summary>
    public static (string Key, object Value)[] Client(string name, string roles, string key) =>
        [($"Api:Clients:{name}:Roles", roles), ($"Api:Clients:{name}:KeySha256", Hash(key))];
}
