using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Nearline.Api.Tests.Support;

namespace Nearline.Api.Tests.Security;

/// <summary>What keeps the service from starting less protected than it looks.</summary>
public sealed class ProtectionSettingsTests
{
    private const string Hash = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    public static TheoryData<string, string[]> Refused { get; } = new()
    {
        { "nothing says who may call", ["Api:BindAddress=0.0.0.0"] },
        { "nothing says who may call", ["Api:BindAddress=::"] },
        { "would cross the network in the clear", ["Api:BindAddress=0.0.0.0", "Api:Clients:r:Roles=candidates", $"Api:Clients:r:KeySha256={Hash}"] },
        { "Api:Clients:r:Roles is ''; it must be candidates, admin", [$"Api:Clients:r:KeySha256={Hash}"] },
        { "Api:Clients:r:Roles is 'root'", ["Api:Clients:r:Roles=root", $"Api:Clients:r:KeySha256={Hash}"] },
        { "Api:Clients:r can prove itself by nothing", ["Api:Clients:r:Roles=admin"] },
        { "KeySha256 has an entry of 3 characters", ["Api:Clients:r:Roles=admin", "Api:Clients:r:KeySha256=abc"] },
        { "Api:Clients:r:Key is not a setting", ["Api:Clients:r:Roles=admin", "Api:Clients:r:Key=abc"] },
        { "Certificates has 'ranking'; each must be uri:URI", ["Api:Clients:r:Roles=admin", "Api:Clients:r:Certificates=ranking"] },
        { "no client certificate is asked for", ["Api:Clients:r:Roles=admin", "Api:Clients:r:Certificates=cn:ranking"] },
        { "a and b have an entry of KeySha256 in common", ["Api:Clients:a:Roles=admin", $"Api:Clients:a:KeySha256={Hash}", "Api:Clients:b:Roles=admin", $"Api:Clients:b:KeySha256={Hash.ToUpperInvariant()}"] },
        { "Api:Clients:a b has a bad name", ["Api:Clients:a b:Roles=admin", $"Api:Clients:a b:KeySha256={Hash}"] },
        { "Api:Tls:Key is set, but Api:Tls:Certificate is not", ["Api:Tls:Key=x.pem"] },
        { "Api:Tls:Certificate is 'nowhere.pem', which cannot be read", ["Api:Tls:Certificate=nowhere.pem", "Api:Tls:Key=x.pem"] },
        { "Api:Tls:Cert is not a setting; there are Certificate, Key, ClientCa", ["Api:Tls:Cert=x.pem"] },
        { "Api:CallsPerSecond is -1; it must be from 0.001", ["Api:CallsPerSecond=-1"] },
        { "Api:CallsBurst is -2", ["Api:CallsBurst=-2"] },
        { "Api:DefaultDeadline is 00:00:00.0010000", ["Api:DefaultDeadline=00:00:00.001"] },
        { "Api:MaxMessageBytes is 12; it must be from 1024", ["Api:MaxMessageBytes=12"] },
        { "Api:MaxConnections is 0; it must be at least 1", ["Api:MaxConnections=0"] },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task The_service_does_not_start(string message, string[] settings)
    {
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => StartAsync(settings));

        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("abc'", failure.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string[]> Allowed { get; } = new()
    {
        new[] { "Api:BindAddress=0.0.0.0", "Api:AllowAnonymous=true" },
        new[] { "Api:BindAddress=0.0.0.0", "Api:AllowCleartextKeys=true", "Api:Clients:r:Roles=candidates , admin", $"Api:Clients:r:KeySha256={Hash}" },
        new[] { "Api:BindAddress=::1" },
    };

    [Theory]
    [MemberData(nameof(Allowed))]
    public void The_settings_are_fine(string[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1])))
            .Build();
        var options = new ApiOptions();
        configuration.GetSection(ApiOptions.Section).Bind(options);

        var result = new ApiOptionsValidator(configuration).Validate(name: null, options);

        Assert.False(result.Failed, result.FailureMessage);
    }

    // Nobody listens there: the service starts without a Redis.
    private static Task<RunningApi> StartAsync(string[] settings) => RunningApi.StartAsync(
        "127.0.0.1:1",
        [.. settings.Select(setting => setting.Split('=', 2)).Select(pair => (pair[0], (object)pair[1]))]);
}
