using System.Runtime.InteropServices;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace TorchSharp.Tests;

public class AutogradTests
{
    [Fact]
    public void Gradients_are_the_slopes_that_finite_differences_show()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var weight = randn(4, 5, ScalarType.Float64);
        var x = randn(3, 5, ScalarType.Float64).requires_grad_();
        Value(x).backward();
        var gradient = x.grad!.data<double>().ToArray();
        const double h = 1e-6;
        using var quiet = no_grad();
        for (var k = 0; k < gradient.Length; k++)
        {
            var step = zeros(15, ScalarType.Float64);
            step[k] = h;
            var slope = (Value(x + step.view(3, 5)) - Value(x - step.view(3, 5))).item<double>() / (2 * h);
            Assert.Equal(slope, gradient[k], 6);
        }

        Tensor Value(Tensor t) => F.cross_entropy(F.gelu(F.linear(F.normalize(t), weight)), tensor(new long[] { 0, 3, 1 }));
    }

    [Fact]
    public void Gradients_add_up_until_they_are_cleared()
    {
        using var scope = NewDisposeScope();
        var x = ones(2).requires_grad_();
        x.sum().backward();
        x.sum().backward();
        Assert.Equal([2f, 2f], x.grad!.data<float>().ToArray());
        x.grad = null;
        Assert.Null(x.grad);
    }

    [Fact]
    public void A_gradient_from_outside_weighs_the_outputs()
    {
        using var scope = NewDisposeScope();
        var x = ones(2).requires_grad_();
        (x * 3).backward([tensor(new[] { 1f, 10f })]);
        Assert.Equal([3f, 30f], x.grad!.data<float>().ToArray());
    }

    [Fact]
    public void Grad_returns_gradients_and_leaves_the_leaves_alone()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1.0, 2.0 }).requires_grad_();
        var unused = ones(1).requires_grad_();
        var y = x.pow(3).sum();
        var first = autograd.grad([y], [x], create_graph: true)[0];
        var second = autograd.grad([first.sum()], [x, unused], allow_unused: true);
        Assert.Equal([3.0, 12.0], first.detach().data<double>().ToArray());
        Assert.Equal([6.0, 12.0], second[0].data<double>().ToArray());
        Assert.Null(second[1]);
        Assert.Null(x.grad);
    }

    [Fact]
    public void A_second_backward_needs_the_graph_kept()
    {
        using var scope = NewDisposeScope();
        var x = ones(2).requires_grad_();
        var y = x.exp().sum();
        y.backward(retain_graph: true);
        y.backward();
        var error = Assert.Throws<ExternalException>(() => y.backward());
        Assert.Contains("second time", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_grad_records_nothing_and_ends_with_its_block()
    {
        using var scope = NewDisposeScope();
        var x = ones(2).requires_grad_();
        using (no_grad())
        {
            Assert.False(is_grad_enabled());
            Assert.False((x * 2).requires_grad);
            using (enable_grad())
            {
                Assert.True((x * 2).requires_grad);
            }

            Assert.False(is_grad_enabled());
        }

        Assert.True((x * 2).requires_grad);
        using (set_grad_enabled(false))
        {
            Assert.False((x * 2).requires_grad);
        }

        Assert.True(is_grad_enabled());
    }

    [Fact]
    public void Inference_mode_makes_tensors_that_autograd_refuses()
    {
        using var scope = NewDisposeScope();
        var x = ones(2).requires_grad_();
        Tensor y;
        using (inference_mode())
        {
            Assert.True(is_inference_mode_enabled());
            y = x * 2;
        }

        Assert.False(is_inference_mode_enabled());
        Assert.False(y.requires_grad);
        var error = Assert.Throws<ExternalException>(() => x * y);
        Assert.Contains("Inference tensors", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gradient_modes_belong_to_their_thread()
    {
        var elsewhere = false;
        using (no_grad())
        {
            var thread = new Thread(() => elsewhere = is_grad_enabled());
            thread.Start();
            thread.Join();
        }

        Assert.True(elsewhere);
    }

    [Fact]
    public void A_retained_gradient_of_an_inner_tensor_can_be_read()
    {
        using var scope = NewDisposeScope();
        var x = ones(2).requires_grad_();
        var y = x * 2;
        y.retain_grad();
        (y * y).sum().backward();
        Assert.True(x.is_leaf);
        Assert.False(y.is_leaf);
        Assert.Equal([4f, 4f], y.grad!.data<float>().ToArray());
    }

    [Fact]
    public void Detached_tensors_share_memory_but_not_history()
    {
        using var scope = NewDisposeScope();
        var x = ones(2).requires_grad_();
        var y = x.detach();
        y.fill_(5);
        Assert.Equal(5, x[0].item<float>());
        Assert.False(y.requires_grad);
    }

    [Fact]
    public void Many_threads_train_at_once()
    {
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, k =>
        {
            for (var round = 0; round < 50; round++)
            {
                using var scope = NewDisposeScope();
                var x = full(8, k + 1.0).requires_grad_();
                x.square().sum().backward();
                Assert.Equal(2f * (k + 1), x.grad![3].item<float>());
            }
        });
    }
}
