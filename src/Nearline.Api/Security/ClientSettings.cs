namespace Nearline.Api.Security;

/// <summary>Reads the lists in a client's settings, which <see cref="ProtectionRules"/> has found to be right.</summary>
internal static class ClientSettings
{
    public static readonly string[] RoleNames = ["candidates", "admin"];

    public static Roles Roles(ClientOptions client)
    {
        var roles = Security.Roles.None;
        foreach (var name in Split(client.Roles))
        {
            roles |= string.Equals(name, RoleNames[0], StringComparison.Ordinal) ? Security.Roles.Candidates : Security.Roles.Admin;
        }

        return roles;
    }

    public static string[] Hashes(ClientOptions client) => Split(client.KeySha256);

    public static string[] Certificates(ClientOptions client) => Split(client.Certificates);

    /// <summary>A burst of 0 is one second's worth.</summary>
    public static int Burst(double perSecond, int burst) => burst > 0 ? burst : Math.Max(1, (int)Math.Ceiling(perSecond));

    public static string[] Split(string list) =>
        list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
