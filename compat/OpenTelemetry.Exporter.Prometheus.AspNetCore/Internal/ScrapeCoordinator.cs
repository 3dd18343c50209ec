namespace OpenTelemetry.Exporter.Prometheus;

/// <summary>A response body and when it was collected.</summary>
internal sealed record Scrape(byte[] Body, DateTimeOffset At, long Timestamp);

/// <summary>
/// Lets scrapes that come together share one collection, and those that come shortly after have its response again.
/// </summary>
/// <param name="pull">
/// Collects and writes; it calls its argument once, when the formats must be known, and returns null when it failed.
/// </param>
/// <param name="cacheFor">For how long a response is served again.</param>
/// <param name="clock">Time.</param>
internal sealed class ScrapeCoordinator(
    Func<Func<IReadOnlyCollection<TextFormat>>, IReadOnlyDictionary<TextFormat, byte[]>?> pull,
    TimeSpan cacheFor,
    TimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TextFormat, Scrape> _cache = [];
    private Collection? _running;

    /// <summary>The response in a format, or null when collecting or writing failed.</summary>
    public async Task<Scrape?> ScrapeAsync(TextFormat format, CancellationToken cancellationToken)
    {
        while (true)
        {
            Collection collection;
            bool started, joined;
            lock (_gate)
            {
                if (_cache.TryGetValue(format, out var cached) && clock.GetElapsedTime(cached.Timestamp) < cacheFor)
                {
                    return cached;
                }

                started = _running is null;
                collection = _running ??= new Collection();
                joined = collection.TryJoin(format);
            }

            if (started)
            {
                Run(collection);
            }

            var scrapes = await collection.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (joined)
            {
                return scrapes.GetValueOrDefault(format);
            }

            // Its formats were fixed before we came: the next collection has ours.
        }
    }

    private void Run(Collection collection)
    {
        IReadOnlyDictionary<TextFormat, byte[]>? bodies = null;
        try
        {
            bodies = pull(() =>
            {
                lock (_gate)
                {
                    return collection.Close();
                }
            });
        }
        catch (Exception)
        {
            // Those who wait get a failed scrape, not this exception: the SDK reports its own errors.
        }

        var (at, timestamp) = (clock.GetUtcNow(), clock.GetTimestamp());
        var scrapes = (bodies ?? new Dictionary<TextFormat, byte[]>())
            .ToDictionary(b => b.Key, b => new Scrape(b.Value, at, timestamp));
        lock (_gate)
        {
            collection.Close();
            foreach (var (format, scrape) in scrapes)
            {
                _cache[format] = scrape;
            }

            _running = null;
        }

        collection.Finish(scrapes);
    }

    /// <summary>One collection and the formats that it will be written in; the coordinator's lock guards it.</summary>
    private sealed class Collection
    {
        private readonly HashSet<TextFormat> _formats = [];
        private readonly TaskCompletionSource<IReadOnlyDictionary<TextFormat, Scrape>> _done =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool _closed;

        public Task<IReadOnlyDictionary<TextFormat, Scrape>> Done => _done.Task;

        /// <summary>Whether the response in a format will come from this collection.</summary>
        public bool TryJoin(TextFormat format) => _closed ? _formats.Contains(format) : _formats.Add(format) || true;

        public IReadOnlyCollection<TextFormat> Close()
        {
            _closed = true;
            return _formats;
        }

        public void Finish(IReadOnlyDictionary<TextFormat, Scrape> scrapes) => _done.SetResult(scrapes);
    }
}
