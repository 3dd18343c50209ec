namespace Nearline.Worker.Events;

/// <summary>A record cannot be used; it belongs in the dead-letter topic.</summary>
/// <param name="field">The field that is wrong, in the contract's spelling; a label of metrics, so never from input.</param>
/// <param name="problem">The value found, and what would be right.</param>
internal sealed class RejectedRecordException(string field, string problem) : Exception($"{field}: {problem}")
{
    /// <summary>The field that is wrong.</summary>
    public string Field { get; } = field;
}
