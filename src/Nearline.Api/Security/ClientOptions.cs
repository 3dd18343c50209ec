namespace Nearline.Api.Security;

/// <summary>Who may call, and how they prove it; section <c>Api:Clients:NAME</c>.</summary>
public sealed class ClientOptions
{
    /// <summary>What the client may do: <c>candidates</c>, <c>admin</c>, or both with a comma between.</summary>
    public string Roles { get; set; } = "";

    /// <summary>
    /// SHA-256 of each of the client's keys in hexadecimal digits, with commas between: two while one replaces the
    /// other. <c>nearline apikey</c> makes a key and prints its hash.
    /// </summary>
    public string KeySha256 { get; set; } = "";

    /// <summary>
    /// Names in client certificates that are this client's, with commas between: <c>uri:</c> and <c>dns:</c> for
    /// subject alternative names, <c>cn:</c> for the subject's common name.
    /// </summary>
    public string Certificates { get; set; } = "";

    /// <summary>Calls a second; a MultiGetCandidates counts as many as it has requests. Missing: <see cref="ApiOptions.CallsPerSecond"/>.</summary>
    public double? CallsPerSecond { get; set; }

    /// <summary>How many calls may come at once after a pause. Missing: <see cref="ApiOptions.CallsBurst"/>.</summary>
    public int? CallsBurst { get; set; }
}
