namespace OpenTelemetry;

/// <summary>Builds the telemetry providers when the host starts; replaceable through the service collection.</summary>
public interface ITelemetryHostInitializer
{
    /// <summary>Builds whichever of the meter, tracer and logger providers are registered.</summary>
    void Initialize();
}
