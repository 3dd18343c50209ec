using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Nearline.Contracts.Admin.V1;
using Nearline.Model.Bundles;

namespace Nearline.Api.Admin;

/// <summary>The folder of bundles, as <c>nearline models</c> uses it. Changes take turns: each reads a whole bundle to verify it.</summary>
internal sealed class ModelAdministration(IOptions<ApiOptions> options) : IDisposable
{
    private const int VersionsShown = 20;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly BundleStore? _store =
        options.Value.ModelsDirectory.Length == 0 ? null : new BundleStore(options.Value.ModelsDirectory);

    /// <summary>All bundles, newest first, and those that cannot be used.</summary>
    /// <exception cref="RpcException">FAILED_PRECONDITION: there is no folder, or it cannot be read.</exception>
    public Task<ListModelsResponse> ListAsync(CancellationToken cancellationToken) => RunAsync(
        store =>
        {
            var response = new ListModelsResponse();
            var rollout = Rollout.None;
            try
            {
                rollout = new RolloutStore(store).Read();
            }
            catch (BundleException e)
            {
                // Whom else they are served to is not known then; the bundles are.
                response.Broken.Add(ToMessage(e));
            }

            var (list, active) = (store.List(), store.ActiveVersion);
            response.Models.Add(list.Bundles.Select(bundle => ToMessage(bundle, active, rollout)));
            response.Broken.Add(list.Broken.Select(ToMessage));
            return response;
        },
        cancellationToken);

    /// <summary>Verifies a bundle and points at it.</summary>
    /// <exception cref="RpcException">NOT_FOUND: there is none of that version. FAILED_PRECONDITION: it is broken; the pointer stays.</exception>
    public Task<ActivateModelResponse> ActivateAsync(string version, CancellationToken cancellationToken) => RunAsync(
        store =>
        {
            if (!Directory.Exists(store.PathOf(version)))
            {
                throw new RpcException(new Status(StatusCode.NotFound, $"version is '{version}', of which there is no bundle; there are {Known(store)}"));
            }

            var before = store.Activate(version, cancellationToken);
            return new ActivateModelResponse { Model = Active(store, version), PreviousVersion = before ?? "" };
        },
        cancellationToken);

    /// <summary>Points back at the bundle that was active before, after verifying it.</summary>
    /// <exception cref="RpcException">FAILED_PRECONDITION: none was, or it is broken; the pointer stays.</exception>
    public Task<RollbackModelResponse> RollbackAsync(CancellationToken cancellationToken) => RunAsync(
        store =>
        {
            var before = store.ActiveVersion;
            return new RollbackModelResponse { Model = Active(store, store.Rollback()), PreviousVersion = before ?? "" };
        },
        cancellationToken);

    public void Dispose() => _turn.Dispose();

    private static Contracts.Admin.V1.Model Active(BundleStore store, string version) =>
        store.List().Bundles.Where(bundle => bundle.Version == version).Select(bundle => ToMessage(bundle, version, Rollout.None)).First();

    private static string Known(BundleStore store)
    {
        var versions = store.List().Bundles.Select(bundle => bundle.Version).ToList();
        return versions.Count == 0
            ? "none"
            : string.Join(", ", versions.Take(VersionsShown)) + (versions.Count > VersionsShown ? ", ... (ListModels names all)" : "");
    }

    private static Contracts.Admin.V1.Model ToMessage(BundleDirectory bundle, string? active, Rollout rollout)
    {
        var manifest = bundle.Manifest;
        var model = new Contracts.Admin.V1.Model
        {
            Version = bundle.Version,
            CreatedAt = Timestamp.FromDateTimeOffset(manifest.CreatedAt),
            Active = bundle.Version == active,
            ItemCount = manifest.ItemCount,
            Scenarios = { manifest.Scenarios.Select(scenario => scenario.Id) },
            Metrics = { manifest.Metrics.ToDictionary() },
        };
        if (model.Active)
        {
            model.Roles.Add(new ModelRole { Name = "active", Percent = 100 });
        }

        if (rollout.Canary is { } canary && canary.Version == bundle.Version)
        {
            model.Roles.Add(new ModelRole { Name = "canary", Percent = canary.Percent });
        }

        model.Roles.Add(rollout.Experiments
            .Where(experiment => experiment.Version == bundle.Version)
            .Select(experiment => new ModelRole { Name = experiment.Name, Percent = experiment.Percent }));
        return model;
    }

    private static BrokenModel ToMessage(BundleException e) => new()
    {
        Path = e.Path,
        Problem = e.Message.StartsWith(e.Path + ": ", StringComparison.Ordinal) ? e.Message[(e.Path.Length + 2)..] : e.Message,
    };

    private async Task<T> RunAsync<T>(Func<BundleStore, T> work, CancellationToken cancellationToken)
    {
        if (_store is null)
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition, "Api:ModelsDirectory is not set; it must be the folder of bundles that the workers follow"));
        }

        if (!Directory.Exists(_store.ModelsDirectory))
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition, $"Api:ModelsDirectory is '{options.Value.ModelsDirectory}'; there is no such folder"));
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => work(_store), cancellationToken);
        }
        catch (BundleException e)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, e.Message, e));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition, $"Api:ModelsDirectory is '{options.Value.ModelsDirectory}': {e.Message}", e));
        }
        finally
        {
            _turn.Release();
        }
    }
}
