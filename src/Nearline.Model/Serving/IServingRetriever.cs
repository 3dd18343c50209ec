using Nearline.Model.Index;

namespace Nearline.Model.Serving;

/// <summary>A retriever whose catalog follows the world: what the worker serves with.</summary>
public interface IServingRetriever : IRetriever
{
    /// <summary>Where the user tower runs: cpu or cuda.</summary>
    string Device => "cpu";

    /// <summary>What searches the model's rows.</summary>
    IndexInfo Index { get; }

    /// <summary>
    /// Takes in changes, in their order, as a whole: the next batch sees all of them. An unseen show joins the index by
    /// its content embedding, which also stands for it in users' histories; a show that is gone leaves every set made
    /// from now on; category and availability hold from now on. Called by the inference thread, like
    /// <see cref="IRetriever.Retrieve"/>.
    /// </summary>
    CatalogState Apply(IReadOnlyList<CatalogChange> changes);

    /// <summary>
    /// What would become of one show if a user's set were made now: what <see cref="IRetriever.Retrieve"/> would do, looked
    /// at from the side of the show. For operators: as dear as some requests. Called by the inference thread.
    /// </summary>
    /// <param name="request">The user and the time.</param>
    /// <param name="scenario">One of the model's.</param>
    /// <param name="showId">The show, whether the model knows it or not.</param>
    /// <param name="limit">Shows in a set at most, from one.</param>
    /// <param name="neighbours">Shows of the user's past that are named for each channel, at most.</param>
    /// <exception cref="ArgumentException">The model has no such scenario.</exception>
    ShowInspection Inspect(RetrievalRequest request, string scenario, string showId, int limit, int neighbours);
}
