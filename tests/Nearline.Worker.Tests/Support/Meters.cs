using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Nearline.Worker.Telemetry;

namespace Nearline.Worker.Tests.Support;

/// <summary>Sums what one worker's counters count; workers of other tests in the process are told apart by their meter factory.</summary>
internal sealed class Meters : IDisposable
{
    private readonly MeterListener listener = new();
    private readonly ConcurrentDictionary<string, double> sums = new();

    public Meters(IMeterFactory factory)
    {
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == MetricNames.Source && ReferenceEquals(instrument.Meter.Scope, factory))
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.Start();
    }

    /// <summary>The sum over all measurements of the instrument that have these tags.</summary>
    public double Sum(string instrument, params (string Name, string Value)[] tags) => sums
        .Where(s => s.Key.StartsWith(instrument + "|", StringComparison.Ordinal) &&
            tags.All(t => s.Key.Contains($"|{t.Name}={t.Value}|", StringComparison.Ordinal)))
        .Sum(s => s.Value);

    /// <summary>What the gauge shows now.</summary>
    public double Gauge(string instrument, params (string Name, string Value)[] tags)
    {
        foreach (var key in sums.Keys.Where(k => k.StartsWith(instrument + "|", StringComparison.Ordinal)))
        {
            sums.TryRemove(key, out _);
        }

        listener.RecordObservableInstruments();
        return Sum(instrument, tags);
    }

    public void Dispose() => listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var key = instrument.Name + "|";
        foreach (var (name, tag) in tags)
        {
            key += $"|{name}={tag}|";
        }

        sums.AddOrUpdate(key, value, (_, sum) => sum + value);
    }
}
