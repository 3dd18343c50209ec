using Nearline.Model.Data;

namespace Nearline.Model.Serving;

/// <summary>A show of the side segment.</summary>
/// <param name="Show">What the catalog says of it.</param>
/// <param name="Item">As candidates are described.</param>
/// <param name="Place">Where it lies.</param>
internal sealed record LiveShow(Show Show, CatalogItem Item, LivePlace Place);

/// <summary>Where the content of a show that came after the model puts it.</summary>
/// <param name="Row">Its row of the index.</param>
/// <param name="Cg">Its CG embedding, [d].</param>
internal sealed record LivePlace(float[] Row, float[] Cg);
