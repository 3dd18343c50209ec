using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Nearline.Api.Security;

/// <summary>The clients of now: when configuration changes, keys come and go without a restart.</summary>
internal sealed partial class ClientRegistry : IDisposable
{
    private readonly IConfiguration _configuration;
    private readonly IValidateOptions<ApiOptions>[] _validators;
    private readonly TimeProvider _time;
    private readonly ILogger<ClientRegistry> _logger;
    private readonly IDisposable _changes;
    private volatile ClientDirectory _current;

    public ClientRegistry(
        IConfiguration configuration,
        IOptions<ApiOptions> options,
        IEnumerable<IValidateOptions<ApiOptions>> validators,
        TimeProvider time,
        ILogger<ClientRegistry> logger)
    {
        _configuration = configuration;
        _validators = [.. validators];
        _time = time;
        _logger = logger;
        _current = ClientDirectory.Of(options.Value, time);
        _changes = ChangeToken.OnChange(configuration.GetReloadToken, Reload);
    }

    public ClientDirectory Current => _current;

    public void Dispose() => _changes.Dispose();

    private void Reload()
    {
        try
        {
            var options = new ApiOptions();
            _configuration.GetSection(ApiOptions.Section).Bind(options);
            var failures = _validators
                .Select(validator => validator.Validate(Options.DefaultName, options))
                .Where(result => result.Failed)
                .Select(result => result.FailureMessage)
                .ToArray();
            if (failures.Length > 0)
            {
                LogKept(string.Join("; ", failures));
                return;
            }

            _current = ClientDirectory.Of(options, _time);
            LogReloaded(options.Clients.Count);
        }
        catch (InvalidOperationException e)
        {
            LogKept(e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Configuration has changed: {Count} clients are known now")]
    private partial void LogReloaded(int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "Configuration has changed and is wrong; the clients stay as they are: {Problems}")]
    private partial void LogKept(string problems);
}
