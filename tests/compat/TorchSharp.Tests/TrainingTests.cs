using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchSharp.Tests;

public class TrainingTests
{
    public static TheoryData<string> Names => new(TrainingCases.All.Select(static c => c.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public void Training_goes_the_way_of_PyTorch(string name)
    {
        var expected = Oracle.Of(name);
        using var scope = NewDisposeScope();
        manual_seed(42);

        var results = TrainingCases.All.Single(c => string.Equals(c.Name, name, StringComparison.Ordinal)).Run(new Inputs());

        Assert.Equal(expected.Outputs!.Count, results.Length);
        for (var k = 0; k < results.Length; k++)
        {
            Compare.Same(expected.Outputs[k], results[k], $"result {k}");
        }
    }

    [Fact]
    public void An_optimizer_goes_on_from_a_saved_state_as_if_never_stopped()
    {
        using var scope = NewDisposeScope();
        using var straight = new Problem();
        straight.Run(8);

        using var first = new Problem();
        first.Run(5);
        var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            first.Optimizer.save_state_dict(writer);
        }

        using var second = new Problem(first.Parameter.detach().clone());
        bytes.Position = 0;
        second.Optimizer.load_state_dict(new BinaryReader(bytes));
        second.Run(3);

        using var third = new Problem(first.Parameter.detach().clone());
        third.Optimizer.load_state_dict(first.Optimizer.state_dict());
        third.Run(3);

        Assert.Equal(straight.Parameter.data<double>().ToArray(), second.Parameter.data<double>().ToArray());
        Assert.Equal(straight.Parameter.data<double>().ToArray(), third.Parameter.data<double>().ToArray());
    }

    [Fact]
    public void State_of_another_optimizer_is_refused()
    {
        using var scope = NewDisposeScope();
        using var problem = new Problem();
        var other = optim.SGD([new Parameter(zeros(2))], 0.1);
        var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            other.save_state_dict(writer);
        }

        bytes.Position = 0;
        var error = Assert.Throws<InvalidDataException>(() => problem.Optimizer.load_state_dict(new BinaryReader(bytes)));
        Assert.Contains("SGD", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_with_a_closure_returns_its_loss_and_lets_it_record_gradients()
    {
        using var scope = NewDisposeScope();
        using var problem = new Problem();
        using (no_grad())
        {
            var loss = problem.Optimizer.step(() =>
            {
                var value = problem.Parameter.square().sum();
                value.backward();
                return value;
            });
            Assert.True(loss.requires_grad);
        }
    }

    [Fact]
    public void A_changed_learning_rate_takes_effect_at_the_next_step()
    {
        using var scope = NewDisposeScope();
        using var problem = new Problem();
        problem.Optimizer.ParamGroups.Single().LearningRate = 0;
        var before = problem.Parameter.data<double>().ToArray();
        problem.Run(2);
        Assert.Equal(before, problem.Parameter.data<double>().ToArray());
    }

    private sealed class Problem : IDisposable
    {
        internal Problem(Tensor? start = null)
        {
            Parameter = new Parameter(start ?? linspace(-1, 2, 6, ScalarType.Float64));
            Optimizer = optim.Adam([Parameter], 0.1, amsgrad: true);
        }

        internal Parameter Parameter { get; }

        internal Adam Optimizer { get; }

        internal void Run(int steps)
        {
            for (var k = 0; k < steps; k++)
            {
                Optimizer.zero_grad();
                Parameter.pow(4).sum().backward();
                Optimizer.step();
            }
        }

        public void Dispose()
        {
            Optimizer.Dispose();
            Parameter.Dispose();
        }
    }
}
