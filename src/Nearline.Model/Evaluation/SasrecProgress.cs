namespace Nearline.Model.Evaluation;

/// <summary>How an epoch of <see cref="Sasrec"/> went.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Epochs">Epochs at most.</param>
/// <param name="Loss">Cross-entropy a prediction, in nats.</param>
/// <param name="Ndcg10">NDCG@10 over the validation targets; null without any.</param>
/// <param name="IsBest">Whether these are the best weights so far.</param>
/// <param name="Elapsed">Since the beginning.</param>
public sealed record SasrecProgress(int Epoch, int Epochs, double Loss, double? Ndcg10, bool IsBest, TimeSpan Elapsed);
