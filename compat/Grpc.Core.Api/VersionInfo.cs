namespace Grpc.Core;

/// <summary>Version constants of the API that this assembly follows.</summary>
public static class VersionInfo
{
    public const string CurrentAssemblyVersion = "2.0.0.0";
    public const string CurrentAssemblyFileVersion = "2.66.0.0";
    public const string CurrentVersion = "2.80.0";
}
