using FsCheck;
using FsCheck.Fluent;
using Nearline.Model.Behaviours;
using Nearline.Model.Data;
using Nearline.Model.Evaluation;
using Nearline.Model.Tests.Support;

namespace Nearline.Model.Tests.Evaluation;

public sealed class SplitsTests
{
    [Fact]
    public void Leave_one_out_agrees_with_a_plain_reading_of_the_logs() =>
        Prop.ForAll(Seeds.Any, seed =>
        {
            var dataset = WatchesOnly(seed);
            var split = Splits.LeaveOneOut(dataset);
            for (var u = 0; u < dataset.Users.Count; u++)
            {
                // Plainly: first watches of each show but the very first event.
                var actions = dataset.Users[u].Actions;
                var firsts = Enumerable.Range(1, Math.Max(0, actions.Count - 1))
                    .Where(i => actions.Take(i).All(a => a.ShowId != actions[i].ShowId)).ToList();
                var targets = (
                    Validation: split.Validation.Where(t => t.User == u).ToList(), Test: split.Test.Where(t => t.User == u).ToList());
                if (firsts.Count < 3)
                {
                    Assert.Equal(actions.Count, split.TrainActions[u]);
                    Assert.Empty(targets.Validation.Concat(targets.Test));
                    continue;
                }

                var scenario = dataset.Users[u].User.Scenarios[0];
                Assert.Equal([new EvaluationTarget(u, firsts[^1], scenario, actions[firsts[^1]].ShowId!)], targets.Test);
                Assert.Equal([new EvaluationTarget(u, firsts[^2], scenario, actions[firsts[^2]].ShowId!)], targets.Validation);
                Assert.Equal(actions.Take(firsts[^2]), split.TrainDataset.Users[u].Actions);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_last_day_tests_the_day_before_validates_the_rest_trains()
    {
        var day = new DateTimeOffset(2026, 5, 10, 0, 0, 0, TimeSpan.Zero);
        UserAction Watch(string show, double hours) => new(ActionKind.Watch, day.AddHours(hours)) { ShowId = show, Scenario = "s" };
        var dataset = new Dataset(
            [.. "abcdef".Select(c => new Show($"{c}", ShowCategory.Movie))],
            [new Scenario("s")],
            [
                new UserLog(new UserProfile("u"), [Watch("a", -30), Watch("b", -25), Watch("c", -24), Watch("a", -1), Watch("d", 0), Watch("c", 1), Watch("e", 23)]),
                new UserLog(new UserProfile("v"), [Watch("f", 5), Watch("a", 6)]),
            ]);
        var split = Splits.LastDay(dataset);
        Assert.Equal([2, 0], split.TrainActions);
        Assert.Equal(["c"], split.Validation.Select(t => t.ShowId));
        Assert.Equal(["d", "e", "a"], split.Test.Select(t => t.ShowId));
    }

    [Fact]
    public void Cold_shows_leave_no_trace_in_training_and_are_all_that_is_measured()
    {
        var dataset = TinyWorld.Create(60);
        var whole = Splits.LeaveOneOut(dataset);
        foreach (var (share, expected) in new[] { (0.05, 3), (0.25, 12) })
        {
            var split = Splits.ColdStart(dataset, share, seed: 7);
            var cold = split.ColdShows!;
            Assert.Equal(expected, cold.Count);
            Assert.Equal(cold.Order(), Splits.ColdStart(dataset, share, seed: 7).ColdShows!.Order());
            Assert.NotEqual(cold.Order(), Splits.ColdStart(dataset, share, seed: 8).ColdShows!.Order());
            Assert.Equal(dataset.Shows.Where(s => !cold.Contains(s.Id)), split.TrainDataset.Shows);
            Assert.Equal(dataset.Shows.Where(s => cold.Contains(s.Id)), split.Newcomers.Select(n => n.Show!));
            for (var u = 0; u < dataset.Users.Count; u++)
            {
                Assert.Equal(
                    whole.TrainDataset.Users[u].Actions.Where(a => a.ShowId is null || !cold.Contains(a.ShowId)),
                    split.TrainDataset.Users[u].Actions);
            }

            Assert.Equal(whole.Test.Where(t => cold.Contains(t.ShowId)), split.Test);
            Assert.Equal(whole.Validation.Where(t => cold.Contains(t.ShowId)), split.Validation);
            Assert.Equal(whole.Validation.Where(t => !cold.Contains(t.ShowId)), split.EpochTargets);
            Assert.NotEmpty(split.Test);
        }

        Assert.Empty(whole.Newcomers);
        Assert.Equal(whole.Validation, whole.EpochTargets);
        Assert.Equal("share", Assert.Throws<ArgumentOutOfRangeException>(() => Splits.ColdStart(dataset, 1)).ParamName);
    }

    [Fact]
    public void The_evaluated_history_is_all_that_precedes_the_target_and_now_is_its_last_event()
    {
        var dataset = TinyWorld.Create(25);
        var split = Splits.LeaveOneOut(dataset);
        Assert.NotEmpty(split.Test);
        var requests = Evaluator.Requests(dataset, split.Test).ToList();
        Assert.Equal(split.Test.Count, requests.Count);
        foreach (var (target, request) in requests)
        {
            var before = dataset.Users[target.User].Actions.Take(target.Action).ToList();
            Assert.Equal(before[^1].Time, request.Now);
            Assert.Equal([target.Scenario], request.History.Scenarios);
            Assert.False(request.History.HasWatched(target.ShowId));
            Assert.Equal(
                before.Where(a => a.Kind == ActionKind.Watch).Select(a => a.ShowId).Distinct().Order(),
                request.History.Behaviours.Where(b => b.Kind == BehaviourKind.Watch).Select(b => b.ShowId).Order());
        }
    }

    private static Dataset WatchesOnly(int seed)
    {
        var random = new Random(seed);
        var shows = Enumerable.Range(0, 6).Select(i => new Show($"s{i}", ShowCategory.Movie)).ToList();
        return new Dataset(
            shows,
            [new Scenario("x"), new Scenario("y")],
            [
                .. Enumerable.Range(0, 4).Select(u => new UserLog(
                    new UserProfile($"u{u}") { Scenarios = [random.Next(2) == 0 ? "x" : "y"] },
                    [
                        .. Enumerable.Range(0, random.Next(9)).Select(i => new UserAction(ActionKind.Watch, TinyWorld.Start.AddMinutes(i / 2))
                        {
                            ShowId = shows[random.Next(shows.Count)].Id,
                        }),
                    ])),
            ]);
    }
}
