using Microsoft.AspNetCore.Connections;
using Nearline.Api.Telemetry;

namespace Nearline.Api.Hosting;

/// <summary>Closes connections past a number at once. Kestrel's own limit would shut out the probes too.</summary>
internal sealed class ConnectionLimit(int most, ApiMetrics metrics)
{
    private int _open;

    public ConnectionDelegate Around(ConnectionDelegate next) => async connection =>
    {
        try
        {
            if (Interlocked.Increment(ref _open) <= most)
            {
                await next(connection);
            }
            else
            {
                metrics.Refused("connections");
                connection.Abort(new ConnectionAbortedException("There are as many connections as Api:MaxConnections allows."));
            }
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    };
}
