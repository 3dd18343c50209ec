using Grpc.Core;
using Microsoft.Extensions.Options;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Inspection.V1;
using Nearline.Model.Behaviours;
using Nearline.Model.Serving;
using Nearline.Worker.Models;
using Nearline.Worker.Options;
using Nearline.Worker.State;

namespace Nearline.Worker.Inspection;

/// <summary>Runs the model that makes a user's sets for one user, and says what would become of one show.</summary>
internal sealed class ShowExplainer(UserStore store, ModelHost models, IOptions<WorkerOptions> options, TimeProvider clock)
{
    /// <summary>Shows of the past that are named for each channel.</summary>
    private const int Neighbours = 5;

    private readonly WorkerOptions settings = options.Value;

    /// <exception cref="RpcException">NOT_FOUND: the user's model has no such scenario.</exception>
    /// <exception cref="UnreadableStateException">What is stored of the user cannot be read.</exception>
    public async Task<ShowExplanation> ExplainAsync(ExplainShowRequest request, CancellationToken cancellationToken)
    {
        var stored = (await store.LoadAsync([request.UserId], cancellationToken)
            .WaitAsync(settings.RedisTimeout, clock, cancellationToken).ConfigureAwait(false))[0];
        var history = stored is null
            ? new UserHistory()
            : UserStateMapper.FromBytes(request.UserId, stored, settings.RecentEventWindow).History;
        var now = clock.GetUtcNow();
        now = history.LastEventTime is { } last && last > now ? last : now;
        return await models.RunOnAllAsync(set => Explain(set, request, history, stored is not null, now), cancellationToken).ConfigureAwait(false);
    }

    private ShowExplanation Explain(ModelSet set, ExplainShowRequest request, UserHistory history, bool isKnown, DateTimeOffset now)
    {
        var experiment = set.Plan.ExperimentsOf(request.UserId).FirstOrDefault(e => e.Name == request.Variant);
        var model = set.Of(experiment?.Version ?? set.Plan.VersionFor(request.UserId));
        if (!model.Scenarios.Contains(request.Scenario))
        {
            throw new RpcException(new Status(
                StatusCode.NotFound, $"scenario is '{request.Scenario}'; model {model.ModelVersion} has {string.Join(", ", model.Scenarios)}"));
        }

        var inspection = model.Inspect(
            new RetrievalRequest(request.UserId, history, now), request.Scenario, request.ItemId, settings.SetSize, Neighbours);
        var explanation = ExplanationMapper.Of(inspection, request, model.ModelVersion, history, now);
        explanation.Variant = experiment?.Name ?? "";
        explanation.UserKnown = isKnown;
        explanation.Reason = ExplanationText.Of(explanation, request.ItemId);
        return explanation;
    }
}
