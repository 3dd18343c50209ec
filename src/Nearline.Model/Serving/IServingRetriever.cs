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
}
