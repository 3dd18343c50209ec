using Microsoft.Extensions.Options;
using Nearline.Worker.Kafka;
using Nearline.Worker.Models;
using Nearline.Worker.Options;
using Nearline.Worker.Pipeline;
using Nearline.Worker.Telemetry;

namespace Nearline.Worker;

/// <summary>
/// Runs consumer and batches from the first model on. A stop lets the batch in work finish, commits it and leaves the
/// group; if one of the two ends by an error, the process stops, and a restart repeats what was not committed.
/// </summary>
internal sealed class WorkerService(
    ModelHost models,
    ConsumerLoop consumer,
    BatchProcessor processor,
    ConsumerStatus status,
    RecordBuffer buffer,
    DueSets due,
    ExitStatus exit,
    WorkerMetrics metrics,
    IOptions<KafkaOptions> kafka,
    IOptions<WorkerOptions> worker,
    ILogger<WorkerService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        metrics.ObserveConsumer(
            () => status.Lag, () => status.PollAge?.TotalSeconds ?? 0, () => buffer.Count, kafka.Value.GroupId);
        metrics.ObserveDue(() => due.Count);
        if (models.Version is null)
        {
            logger.WaitingForModel(worker.Value.ModelsDirectory);
        }

        await models.FirstModel.WaitAsync(stoppingToken).ConfigureAwait(false);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        using var abort = new CancellationTokenSource();
        using var deadline = stop.Token.Register(() => abort.CancelAfter(worker.Value.DrainTimeout));
        var batches = processor.RunAsync(stop.Token, abort.Token);
        var polling = RunOnThread(() => consumer.Run(stop.Token));

        var ended = await Task.WhenAny(batches, polling).ConfigureAwait(false);
        if (ended.IsFaulted)
        {
            exit.Fail();
        }

        await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(batches, polling).ConfigureAwait(false);
        logger.Stopped();
    }

    private static Task RunOnThread(Action action)
    {
        var completion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                action();
                completion.SetResult();
            }
            catch (Exception e)
            {
                completion.SetException(e);
            }
        })
        {
            IsBackground = true,
            Name = "consumer",
        };
        thread.Start();
        return completion.Task;
    }
}
