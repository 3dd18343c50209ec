using System.Runtime.InteropServices;
using Grpc.Core;

namespace Grpc.Net.Client.Calls;

/// <summary>Names the client to the server.</summary>
internal static class UserAgent
{
    public static readonly string Value =
        $"grpc-dotnet/{VersionInfo.CurrentVersion} (.NET {Environment.Version}; CLR {Environment.Version}; net{Environment.Version.ToString(2)}; " +
        $"{(OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "osx" : "linux")}; " +
        $"{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()})";
}
