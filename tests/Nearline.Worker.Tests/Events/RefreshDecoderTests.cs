using Google.Protobuf;
using Nearline.Contracts.Refresh.V1;
using Nearline.Worker.Events;
using static Nearline.Worker.Tests.Support.Records;

namespace Nearline.Worker.Tests.Events;

public sealed class RefreshDecoderTests
{
    [Fact]
    public void Both_encodings_decode()
    {
        var request = new RefreshRequest { UserId = "u1", Reason = RefreshReason.Miss };

        Assert.Equal(new UserRefresh("u1", RefreshReason.Miss), RefreshDecoder.Decode(Record(request.ToByteArray())));
        Assert.Equal(new UserRefresh("u1", RefreshReason.Miss), RefreshDecoder.Decode(Json(JsonFormatter.Default.Format(request))));
    }

    [Theory]
    [InlineData("{\"reason\":\"REFRESH_REASON_MISS\"}", "user_id")]
    [InlineData("{\"userId\":\"u2\"}", "user_id")]
    [InlineData("{\"userId\":\"u1\",\"reason\":\"BOREDOM\"}", "value")]
    public void Bad_requests_are_refused_by_field(string json, string field) =>
        Assert.Equal(field, Assert.Throws<RejectedRecordException>(() => RefreshDecoder.Decode(Json(json))).Field);
}
