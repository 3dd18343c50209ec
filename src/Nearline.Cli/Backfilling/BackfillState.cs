using Nearline.Contracts.Storage.V1;

namespace Nearline.Cli.Backfilling;

/// <summary>A backfill and how far it is.</summary>
/// <param name="Job">What is to be done; null: nothing ever.</param>
/// <param name="Progress">How far a worker is with that job; null: none has begun it.</param>
internal sealed record BackfillState(BackfillJob? Job, BackfillProgress? Progress)
{
    /// <summary>Whether nothing more will happen.</summary>
    public bool IsOver => Job is null || Progress?.FinishedAt is not null;

    /// <summary>How much of it is done, 0 to 1: of the keys to look at, and of the requests, which are processed meanwhile.</summary>
    public double Fraction => Progress switch
    {
        null => 0,
        { FinishedAt: not null } => 1,
        { TotalKeys: 0 } => 0,
        { RequestedUsers: > 0 } p => Scanned(p) * Math.Clamp(1 - ((double)p.WaitingRequests / p.RequestedUsers), 0, 1),
        { } p => Scanned(p),
    };

    private static double Scanned(BackfillProgress progress) => Math.Min(1, (double)progress.VisitedKeys / progress.TotalKeys);
}
