using System.Net;
using Microsoft.Extensions.Options;
using Nearline.Api.Security;

namespace Nearline.Api;

/// <summary>Refuses settings that cannot work, all at once, naming key, value and what would be right.</summary>
internal sealed class ApiOptionsValidator(IConfiguration configuration) : IValidateOptions<ApiOptions>
{
    private static readonly string[] Keys = [.. typeof(ApiOptions).GetProperties().Select(property => property.Name)];

    public ValidateOptionsResult Validate(string? name, ApiOptions options)
    {
        var failures = new List<string>();
        foreach (var key in configuration.GetSection(ApiOptions.Section).GetChildren().Select(child => child.Key))
        {
            if (!Keys.Contains(key, StringComparer.OrdinalIgnoreCase))
            {
                failures.Add($"Api:{key} is not a setting; there are {string.Join(", ", Keys)}");
            }
        }

        if (!IPAddress.TryParse(options.BindAddress, out _))
        {
            failures.Add($"Api:BindAddress is '{options.BindAddress}'; it must be an IP address such as 127.0.0.1 or 0.0.0.0");
        }

        if (options.WorkerAddress.Length > 0
            && !(Uri.TryCreate(options.WorkerAddress, UriKind.Absolute, out var worker) && worker.Scheme is "http" or "https"))
        {
            failures.Add($"Api:WorkerAddress is '{options.WorkerAddress}'; it must be like http://127.0.0.1:5002, or empty");
        }

        Number(nameof(options.GrpcPort), options.GrpcPort, 0, 65535);
        Number(nameof(options.HttpPort), options.HttpPort, 0, 65535);
        if (options.GrpcPort != 0 && options.GrpcPort == options.HttpPort)
        {
            failures.Add($"Api:HttpPort is {options.HttpPort}, which is Api:GrpcPort too; they must differ");
        }

        Number(nameof(options.DefaultLimit), options.DefaultLimit, 0, 1000);
        Number(nameof(options.MaxMultiGet), options.MaxMultiGet, 1, 1000);
        Number(nameof(options.MaxConcurrentRequests), options.MaxConcurrentRequests, 1, int.MaxValue);
        Number(nameof(options.MaxQueuedWork), options.MaxQueuedWork, 0, 1_000_000);
        Number(nameof(options.MaxWatchStreams), options.MaxWatchStreams, 1, int.MaxValue);
        Number(nameof(options.MaxConnections), options.MaxConnections, 1, int.MaxValue);
        Number(nameof(options.MaxMessageBytes), options.MaxMessageBytes, 1024, 64 * 1024 * 1024);
        Number(nameof(options.BreakerMinimumReads), options.BreakerMinimumReads, 2, int.MaxValue);
        Number(nameof(options.CacheEntries), options.CacheEntries, 1, 1_000_000);
        Number(nameof(options.RefreshQueue), options.RefreshQueue, 1, 1_000_000);
        Time(nameof(options.RedisTimeout), options.RedisTimeout, 1, 10_000);
        if (options.DefaultDeadline != TimeSpan.Zero)
        {
            Time(nameof(options.DefaultDeadline), options.DefaultDeadline, 10, 600_000);
        }

        Time(nameof(options.CacheTtl), options.CacheTtl, 0, 60_000);
        Time(nameof(options.BreakerSampling), options.BreakerSampling, 500, 60_000);
        Time(nameof(options.BreakerDuration), options.BreakerDuration, 500, 60_000);
        Time(nameof(options.FallbackRefresh), options.FallbackRefresh, 50, 3_600_000);
        Time(nameof(options.RefreshDebounce), options.RefreshDebounce, 0, 3_600_000);
        Time(nameof(options.WatchResync), options.WatchResync, 50, 3_600_000);
        Time(nameof(options.HealthPeriod), options.HealthPeriod, 1_000, 60_000);
        Time(nameof(options.WorkerTimeout), options.WorkerTimeout, 10, 60_000);
        Time(nameof(options.KafkaTimeout), options.KafkaTimeout, 100, 60_000);
        Time(nameof(options.ShutdownDelay), options.ShutdownDelay, 0, 300_000);
        Time(nameof(options.DrainTimeout), options.DrainTimeout, 100, 300_000);
        failures.AddRange(ProtectionRules.Problems(options, configuration.GetSection(ApiOptions.Section)));
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Number(string key, int value, int least, int most)
        {
            if (value < least || value > most)
            {
                failures.Add(most == int.MaxValue
                    ? $"Api:{key} is {value}; it must be at least {least}"
                    : $"Api:{key} is {value}; it must be from {least} to {most}");
            }
        }

        void Time(string key, TimeSpan value, int leastMs, int mostMs)
        {
            var (least, most) = (TimeSpan.FromMilliseconds(leastMs), TimeSpan.FromMilliseconds(mostMs));
            if (value < least || value > most)
            {
                failures.Add($"Api:{key} is {value}; it must be from {least} to {most} (hh:mm:ss.fff)");
            }
        }
    }
}
