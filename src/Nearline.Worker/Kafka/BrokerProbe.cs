using Confluent.Kafka;

namespace Nearline.Worker.Kafka;

/// <summary>
/// Asks whether any broker answers, on another thread, since the consumer's own must not wait. One question at a time.
/// Dispose it before the consumer is closed.
/// </summary>
internal sealed class BrokerProbe(IClient client, string topic, KafkaTrouble trouble) : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    private Task asking = Task.CompletedTask;

    /// <summary>Asks, unless the last question is still open. Returns at once.</summary>
    public void Ask()
    {
        if (asking.IsCompleted)
        {
            asking = Task.Run(AskOnce);
        }
    }

    /// <summary>Waits for the open question, at most about a second.</summary>
    public void Dispose() => asking.Wait();

    private void AskOnce()
    {
        try
        {
            if (client.MetadataOf(topic, Timeout).Brokers.Count > 0)
            {
                trouble.Answered();
            }
        }
        catch (KafkaException)
        {
            // No answer; the client's own errors say why.
        }
    }
}
