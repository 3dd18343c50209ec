using Microsoft.Extensions.Options;
using Nearline.Model.Bundles;
using Nearline.Model.Serving;
using Nearline.Worker.Options;

namespace Nearline.Worker.Models;

/// <summary>Models from a folder of bundles.</summary>
internal sealed class BundleRetrieverSource(IOptions<WorkerOptions> options, IOptions<IndexOptions> index) : IRetrieverSource
{
    private readonly WorkerOptions settings = options.Value;
    private readonly BundleStore store = new(options.Value.ModelsDirectory);

    public string? ActiveVersion()
    {
        try
        {
            return store.ActiveVersion;
        }
        catch (BundleException e)
        {
            throw new ModelRefusedException("(pointer)", e.Message, e);
        }
    }

    public Rollout Rollout()
    {
        try
        {
            return new RolloutStore(store).Read();
        }
        catch (BundleException e)
        {
            throw new ModelRefusedException("(rollout)", e.Message, e);
        }
    }

    public IServingRetriever Load(string version)
    {
        try
        {
            var retriever = M5Retriever.Load(
                store.PathOf(version),
                settings.Device,
                settings.Threads == 0 ? null : settings.Threads,
                index.Value.ToBackend(settings.SetSize),
                settings.ServingPrecision());
            retriever.NewShowBoost = settings.NewShowBoost;
            return retriever;
        }
        catch (Exception e)
        {
            // Whatever is wrong with a new model, the worker goes on with the one it has.
            throw new ModelRefusedException(version, e.Message, e);
        }
    }
}
