using Microsoft.Extensions.Options;

namespace Nearline.Worker.Options;

/// <summary>Collects what is wrong with options; each message names key, value and what would be right.</summary>
internal sealed class OptionsCheck(string section)
{
    private readonly List<string> failures = [];

    public void InRange<T>(string key, T value, T least, T most)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            failures.Add($"{section}:{key} is {value}; it must be from {least} to {most}");
        }
    }

    public void NotEmpty(string key, string? value, string what)
    {
        if (string.IsNullOrWhiteSpace(value))
        {
            failures.Add($"{section}:{key} is '{value}'; {what} is needed");
        }
    }

    public void NotAllowed(string key, string? value, string why) =>
        failures.Add($"{section}:{key} is '{value}'; leave it out: {why}");

    public void OneOf(string key, string? value, IReadOnlyCollection<string> allowed)
    {
        if (value is null || !allowed.Contains(value))
        {
            failures.Add($"{section}:{key} is '{value}'; it must be one of {string.Join(", ", allowed)}");
        }
    }

    public void Address(string key, string? value)
    {
        if (!System.Net.IPAddress.TryParse(value, out _))
        {
            failures.Add($"{section}:{key} is '{value}'; it must be an IP address such as 127.0.0.1 or 0.0.0.0");
        }
    }

    /// <summary>A brace in it would be a hash tag, and a user's keys would no longer share theirs.</summary>
    public void KeyPrefix(string key, string? value, string what)
    {
        if (value is not { Length: <= 64 } || !value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or ':'))
        {
            failures.Add($"{section}:{key} is '{value}'; it must be {what}");
        }
    }

    public ValidateOptionsResult Result() =>
        failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
}
