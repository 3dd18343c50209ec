namespace Nearline.Model.Graph;

/// <summary>An epoch's report of <see cref="GraphTrainer"/>.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Epochs">Planned.</param>
/// <param name="Loss">Mean logistic loss of positives and negatives; 2 log 2 = 1.386 where nothing is known.</param>
/// <param name="Pairs">Positive pairs of the epoch.</param>
/// <param name="Elapsed">Since training began.</param>
public sealed record GraphProgress(int Epoch, int Epochs, double Loss, int Pairs, TimeSpan Elapsed);
