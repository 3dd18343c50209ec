namespace Nearline.Worker.Telemetry;

/// <summary>The stages of an event's way, in their order; together they are the time from event to servable.</summary>
internal static class StageNames
{
    /// <summary>From the event's own time until the consumer has it: producer, Kafka, fetch.</summary>
    public const string Arrive = "arrive";

    /// <summary>Until its batch begins.</summary>
    public const string Gather = "gather";

    /// <summary>From the event's own time until the batch that renews its sets begins, where Worker:Debounce put them off.</summary>
    public const string Debounce = "debounce";

    /// <summary>Loading and folding states.</summary>
    public const string Load = "load";

    /// <summary>Until the model is done with the batch ahead.</summary>
    public const string WaitForModel = "wait_for_model";

    /// <summary>The user tower.</summary>
    public const string Tower = "tower";

    /// <summary>The index search.</summary>
    public const string Index = "index";

    /// <summary>What else the model's thread does: taking its turn, naming what was found.</summary>
    public const string Retrieve = "retrieve";

    /// <summary>Until the batch ahead is stored.</summary>
    public const string WaitForWrite = "wait_for_write";

    /// <summary>Encoding and storing states and sets.</summary>
    public const string Write = "write";
}
