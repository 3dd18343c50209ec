using Nearline.Model.Behaviours;

namespace Nearline.Model.Tests.Behaviours;

public sealed class WatchedTests
{
    [Theory]
    [InlineData(new[] { 30, 60 }, false)]
    [InlineData(new[] { 60, 60 }, true)]
    [InlineData(new[] { -1 }, true)]
    [InlineData(new[] { -1, 10 }, true)]
    [InlineData(new[] { 10, -1 }, true)]
    public void Show_is_watched_after_two_minutes_or_a_playback_of_untold_length(int[] seconds, bool watched)
    {
        var history = new UserHistory();
        foreach (var played in seconds)
        {
            history.Apply(new UserAction(ActionKind.Watch, DateTimeOffset.UnixEpoch)
            {
                ShowId = "s",
                Played = played < 0 ? null : TimeSpan.FromSeconds(played),
            });
        }

        Assert.Equal(watched, history.HasWatched("s"));
        Assert.Equal(watched ? ["s"] : [], history.WatchedShows());
    }
}
