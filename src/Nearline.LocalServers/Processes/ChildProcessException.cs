namespace Nearline.LocalServers.Processes;

/// <summary>A child process did not start, or ended when it should have run; the message has its last output lines.</summary>
public sealed class ChildProcessException(string message, Exception? inner = null) : Exception(message, inner);
