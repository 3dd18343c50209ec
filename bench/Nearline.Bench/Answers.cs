using System.Text.Json;

namespace Nearline.Bench;

/// <summary>What a side says to the script that runs it: a line of JSON each.</summary>
internal static class Answers
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static void Write(object answer)
    {
        Console.WriteLine(JsonSerializer.Serialize(answer, Json));
        Console.Out.Flush();
    }
}
