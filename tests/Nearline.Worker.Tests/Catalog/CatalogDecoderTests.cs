using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Nearline.Contracts.Catalog.V1;
using Nearline.Worker.Catalog;
using Nearline.Worker.Events;
using Nearline.Worker.Tests.Support;
using ModelCategory = Nearline.Model.Behaviours.ShowCategory;

namespace Nearline.Worker.Tests.Catalog;

public sealed class CatalogDecoderTests
{
    [Fact]
    public void A_show_is_read_whole_from_protobuf_and_json()
    {
        var message = new Show
        {
            ShowId = "m-17",
            Title = "Night Harbour",
            Category = ShowCategory.Movie,
            Tags = { "noir", "harbour" },
            Cast = { "A. Lind" },
            Directors = { "B. Frost" },
            Brands = { "North" },
            Description = "Fog.",
            ReleaseYear = 2021,
            AvailableFrom = Timestamp.FromDateTimeOffset(Records.Now),
            AvailableUntil = Timestamp.FromDateTimeOffset(Records.Now.AddDays(3)),
        };
        foreach (var record in new[]
            {
                Records.Record(message.ToByteArray(), "m-17"), Records.Json(JsonFormatter.Default.Format(message), "m-17"),
            })
        {
            var change = CatalogDecoder.Decode(record);
            var show = change.Show!;
            Assert.Equal(("m-17", "m-17"), (change.ShowId, show.Id));
            Assert.Equal(("Night Harbour", ModelCategory.Movie, "Fog.", 2021), (show.Title, show.Category, show.Description, show.ReleaseYear));
            Assert.Equal(["noir", "harbour"], show.Tags);
            Assert.Equal(["A. Lind", "B. Frost", "North"], [.. show.Cast, .. show.Directors, .. show.Brands]);
            Assert.Equal((Records.Now, Records.Now.AddDays(3)), (show.AvailableFrom, show.AvailableUntil));
        }
    }

    [Fact]
    public void A_record_without_a_value_says_that_the_show_is_gone()
    {
        Assert.Null(CatalogDecoder.Decode(Records.Record(null, "m-1")).Show);
        Assert.Equal("m-1", CatalogDecoder.Decode(Records.Record([], "m-1")).ShowId);
    }

    [Theory]
    [InlineData("""{"showId":"m-1","category":"SHOW_CATEGORY_MOVIE"}""", "", "key: missing")]
    [InlineData("""{"showId":"m-1","category":"SHOW_CATEGORY_MOVIE"}""", "m-2", "show_id: 'm-1' differs from the record key 'm-2'")]
    [InlineData("""{"category":"SHOW_CATEGORY_MOVIE"}""", "m-1", "show_id: empty")]
    [InlineData("""{"showId":"m-1"}""", "m-1", "category: 0 is none; SHOW_CATEGORY_SERIES (1)")]
    [InlineData("""{"showId":"m-1","category":7}""", "m-1", "category: 7 is none")]
    [InlineData("""{"showId":"m-1","category":"SHOW_CATEGORY_LIVE","releaseYear":-5}""", "m-1", "release_year: -5 is no year")]
    [InlineData("""{"showId":"m-1","genre":"noir"}""", "m-1", "value: these")]
    [InlineData("not json", "m-1", "value: these 8 bytes are not a Show in JSON")]
    public void What_is_wrong_is_named(string json, string key, string problem)
    {
        var error = Assert.Throws<RejectedRecordException>(() => CatalogDecoder.Decode(Records.Json(json, key)));
        Assert.StartsWith(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_without_end_and_keys_that_are_no_text_are_refused()
    {
        var message = new Show { ShowId = "m-1", Category = ShowCategory.Live };
        message.Tags.AddRange(Enumerable.Repeat("t", 1001));
        Assert.StartsWith(
            "tags: 1001 of them", Assert.Throws<RejectedRecordException>(() => CatalogDecoder.Decode(Records.Record(message.ToByteArray(), "m-1"))).Message, StringComparison.Ordinal);
        var record = Records.Record(null, "m-1") with { Key = [0xff, 0xfe] };
        Assert.StartsWith("key: these 2 bytes are not UTF-8", Assert.Throws<RejectedRecordException>(() => CatalogDecoder.Decode(record)).Message, StringComparison.Ordinal);
        Assert.Throws<RejectedRecordException>(() => CatalogDecoder.Decode(record with { Key = Encoding.UTF8.GetBytes(new string('m', 257)) }));
    }
}
