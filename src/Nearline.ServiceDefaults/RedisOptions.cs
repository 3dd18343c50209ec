using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Nearline.ServiceDefaults;

/// <summary>How to reach Redis; section <c>Redis</c>.</summary>
public sealed class RedisOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Redis";

    /// <summary>
    /// A StackExchange.Redis configuration string, such as <c>127.0.0.1:6379,password=..</c>. Default
    /// <c>127.0.0.1:6379</c>.
    /// </summary>
    public string ConnectionString { get; set; } = "127.0.0.1:6379";

    /// <summary>How long a connection attempt may take. 100 ms to 1 minute; default 2 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The options for the client.</summary>
    internal ConfigurationOptions ToConfiguration()
    {
        var configuration = ConfigurationOptions.Parse(ConnectionString, ignoreUnknown: true);
        configuration.AbortOnConnectFail = false;
        configuration.ConnectTimeout = (int)ConnectTimeout.TotalMilliseconds;
        configuration.ConnectRetry = 1;
        configuration.ReconnectRetryPolicy = new LinearRetry(500);
        return configuration;
    }

    internal sealed class Validator : IValidateOptions<RedisOptions>
    {
        public ValidateOptionsResult Validate(string? name, RedisOptions options)
        {
            if (options.ConnectTimeout < TimeSpan.FromMilliseconds(100) || options.ConnectTimeout > TimeSpan.FromMinutes(1))
            {
                return ValidateOptionsResult.Fail(
                    $"Redis:ConnectTimeout is {options.ConnectTimeout}; it must be from 00:00:00.100 to 00:01:00");
            }

            try
            {
                if (options.ToConfiguration().EndPoints.Count == 0)
                {
                    return ValidateOptionsResult.Fail(
                        $"Redis:ConnectionString is '{options.ConnectionString}'; it must name at least one host:port");
                }
            }
            catch (ArgumentException e)
            {
                return ValidateOptionsResult.Fail(
                    $"Redis:ConnectionString is '{options.ConnectionString}'; it must be like host:port,option=value ({e.Message})");
            }

            return ValidateOptionsResult.Success;
        }
    }
}
