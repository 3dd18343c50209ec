using System.Text;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Nearline.Model.Serving;
using Nearline.Worker.Events;
using Nearline.Worker.Kafka;
using Message = Nearline.Contracts.Catalog.V1.Show;
using ModelCategory = Nearline.Model.Behaviours.ShowCategory;
using ModelShow = Nearline.Model.Data.Show;

namespace Nearline.Worker.Catalog;

/// <summary>Reads and validates records of the catalog topic.</summary>
internal static class CatalogDecoder
{
    private const int MaxNames = 1000;
    private const int LatestYear = 9999;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The change in the record.</summary>
    /// <exception cref="RejectedRecordException">It is no valid show, and no tombstone.</exception>
    public static CatalogChange Decode(ConsumedRecord record)
    {
        var key = Key(record.Key);
        if (record.Value is not { Length: > 0 })
        {
            return new CatalogChange(key, null);
        }

        var message = FieldRules.Message(record, Message.Parser);
        if (FieldRules.Required("show_id", message.ShowId) != key)
        {
            throw new RejectedRecordException(
                "show_id", $"{FieldRules.Show(message.ShowId)} differs from the record key {FieldRules.Show(key)}; they must be equal");
        }

        return new CatalogChange(key, new ModelShow(key, Category(message.Category))
        {
            Title = message.Title,
            Tags = Names("tags", message.Tags),
            Cast = Names("cast", message.Cast),
            Directors = Names("directors", message.Directors),
            Brands = Names("brands", message.Brands),
            Description = message.Description,
            ReleaseYear = Year(message.ReleaseYear),
            AvailableFrom = Time("available_from", message.AvailableFrom),
            AvailableUntil = Time("available_until", message.AvailableUntil),
        });
    }

    private static string Key(byte[]? key)
    {
        if (key is not { Length: > 0 })
        {
            throw new RejectedRecordException("key", "missing; the show's id is needed, since the topic is compacted by it");
        }

        try
        {
            return FieldRules.NotTooLong("key", StrictUtf8.GetString(key));
        }
        catch (ArgumentException)
        {
            throw new RejectedRecordException("key", $"these {key.Length} bytes are not UTF-8; the show's id is needed");
        }
    }

    private static ModelCategory Category(Contracts.Catalog.V1.ShowCategory category) => category switch
    {
        Contracts.Catalog.V1.ShowCategory.Series => ModelCategory.Series,
        Contracts.Catalog.V1.ShowCategory.Movie => ModelCategory.Movie,
        Contracts.Catalog.V1.ShowCategory.Live => ModelCategory.Live,
        _ => throw new RejectedRecordException(
            "category", $"{(int)category} is none; SHOW_CATEGORY_SERIES (1), SHOW_CATEGORY_MOVIE (2) or SHOW_CATEGORY_LIVE (3) is needed"),
    };

    private static string[] Names(string field, RepeatedField<string> names) =>
        names.Count <= MaxNames
            ? [.. names]
            : throw new RejectedRecordException(field, $"{names.Count} of them; at most {MaxNames} are allowed");

    private static int? Year(int year) => year switch
    {
        0 => null,
        > 0 and <= LatestYear => year,
        _ => throw new RejectedRecordException("release_year", $"{year} is no year; 1 to {LatestYear}, or 0 when unknown, is needed"),
    };

    private static DateTimeOffset? Time(string field, Timestamp? time) => time is null ? null : FieldRules.Time(field, time);
}
