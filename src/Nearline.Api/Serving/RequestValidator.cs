using System.Buffers;
using System.Globalization;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts.Candidates.V1;
using Nearline.Contracts.Catalog.V1;

namespace Nearline.Api.Serving;

/// <summary>Finds what is wrong with a request: the field, its value, and what would be right. Null: nothing is.</summary>
internal static class RequestValidator
{
    public const int MaxLimit = 1000;
    public const int MaxExcluded = 1000;
    private const int MaxIdBytes = 256;
    private const int MaxCategories = 16;
    private const char Replacement = '\uFFFD';
    private const int ShownCharacters = 64;
    private const int MaxVariant = 64;
    private const long MaxDurationSeconds = 315_576_000_000;

    private static readonly SearchValues<char> VariantCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_");

    public static string? Problem(GetCandidatesRequest request)
    {
        if (UserProblem(request.UserId) is { } user)
        {
            return user;
        }

        if (IdProblem("scenario", request.Scenario, "one of those that ListScenarios names") is { } scenario)
        {
            return scenario;
        }

        if (request.Limit is < 0 or > MaxLimit)
        {
            return Text($"limit is {request.Limit}; it must be 1 to {MaxLimit}, or 0 for the whole set");
        }

        if (request.ExcludeItemIds.Count > MaxExcluded)
        {
            return Text($"exclude_item_ids has {request.ExcludeItemIds.Count} entries; at most {MaxExcluded} are allowed");
        }

        for (var i = 0; i < request.ExcludeItemIds.Count; i++)
        {
            // Those that are fine, as nearly all are, must not cost a text.
            if (request.ExcludeItemIds[i] is var excluded && (excluded.Length is 0 or > MaxIdBytes / 3 || IsDamaged(excluded))
                && IdProblem(Text($"exclude_item_ids[{i}]"), excluded, "the id of a show") is { } problem)
            {
                return problem;
            }
        }

        if (request.Categories.Count > MaxCategories)
        {
            return Text($"categories has {request.Categories.Count} entries; at most {MaxCategories} are allowed");
        }

        for (var i = 0; i < request.Categories.Count; i++)
        {
            if (request.Categories[i] is not (ShowCategory.Series or ShowCategory.Movie or ShowCategory.Live))
            {
                return Text(
                    $"categories[{i}] is {(int)request.Categories[i]}; it must be 1 (series), 2 (movie) or 3 (live)");
            }
        }

        return VariantProblem(request.Variant) ?? (request.MaxAge is null ? null : MaxAgeProblem(request.MaxAge));
    }

    public static string? Problem(ExplainCandidateRequest request) =>
        UserProblem(request.UserId)
        ?? IdProblem("scenario", request.Scenario, "one of those that ListScenarios names")
        ?? IdProblem("item_id", request.ItemId, "the id of a show")
        ?? VariantProblem(request.Variant);

    public static string? UserProblem(string userId)
    {
        if (IdProblem("user_id", userId, "the id of a user") is { } problem)
        {
            return problem;
        }

        // Braces delimit the part of a Redis key that decides its cluster slot.
        return userId.AsSpan().ContainsAny('{', '}')
            ? $"user_id is '{Shown(userId)}'; it must contain neither '{{' nor '}}'"
            : null;
    }

    private static string? IdProblem(string field, string value, string right)
    {
        if (value.Length == 0)
        {
            return $"{field} is empty; it must be {right}, at most {MaxIdBytes} bytes";
        }

        if (IsDamaged(value))
        {
            return $"{field} is '{Shown(value)}', which is not valid UTF-8; it must be {right}";
        }

        // A character takes at least one byte, and at most three a UTF-16 unit: counting is rarely needed.
        if (value.Length > MaxIdBytes / 3 && Encoding.UTF8.GetByteCount(value) is > MaxIdBytes and var bytes)
        {
            return Text($"{field} is '{Shown(value)}', {bytes} bytes; it must be at most {MaxIdBytes} bytes");
        }

        return null;
    }

    // Bytes that are no UTF-8 arrive as this character: two ids would become one. No id has it of its own.
    private static bool IsDamaged(string value) => value.Contains(Replacement, StringComparison.Ordinal);

    private static string? VariantProblem(string variant) =>
        variant.Length <= MaxVariant && variant.AsSpan().IndexOfAnyExcept(VariantCharacters) < 0
            ? null
            : Text($"variant is '{Shown(variant)}'; it must be the name of an experiment, at most {MaxVariant} small letters, digits, '-' and '_', or empty");

    private static string? MaxAgeProblem(Duration maxAge)
    {
        if (maxAge.Seconds is >= 0 and <= MaxDurationSeconds && maxAge.Nanos is >= 0 and < 1_000_000_000)
        {
            return null;
        }

        return Text($"max_age is {maxAge.Seconds} seconds and {maxAge.Nanos} nanos; neither may be negative, and they must be a valid google.protobuf.Duration");
    }

    /// <summary>A value as messages show it: cut between characters, without what a terminal would obey.</summary>
    public static string Shown(string value)
    {
        var end = value.Length <= ShownCharacters ? value.Length
            : char.IsHighSurrogate(value[ShownCharacters - 1]) ? ShownCharacters - 1 : ShownCharacters;
        var shown = string.Create(end, value, static (text, from) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = char.IsControl(from[i]) ? '?' : from[i];
            }
        });
        return end == value.Length ? shown : shown + "...";
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
