namespace Nearline.Api.Security;

/// <summary>What a client may do.</summary>
[Flags]
internal enum Roles
{
    None = 0,

    /// <summary>Call CandidateService.</summary>
    Candidates = 1,

    /// <summary>Call AdminService.</summary>
    Admin = 2,
}
