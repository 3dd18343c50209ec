using static TorchSharp.torch;

namespace TorchSharp.Tests;

public class DisposeScopeTests
{
    [Fact]
    public void A_scope_disposes_what_its_thread_created_in_it()
    {
        var before = ones(1);
        Tensor inside;
        using (NewDisposeScope())
        {
            inside = before + 1;
            Assert.False(inside.IsInvalid);
        }

        Assert.True(inside.IsInvalid);
        Assert.False(before.IsInvalid);
        before.Dispose();
    }

    [Fact]
    public void A_disposed_tensor_says_so_when_used()
    {
        var tensor = ones(1);
        tensor.Dispose();
        tensor.Dispose();
        Assert.True(tensor.IsInvalid);
        Assert.Throws<InvalidOperationException>(() => tensor + 1);
        Assert.Throws<InvalidOperationException>(() => tensor.shape);
    }

    [Fact]
    public void Inner_scopes_end_alone_and_can_give_to_the_outer_one()
    {
        Tensor kept, moved;
        using (var outer = NewDisposeScope())
        {
            using (var inner = NewDisposeScope())
            {
                Assert.Same(inner, CurrentDisposeScope);
                kept = ones(1);
                moved = ones(1).MoveToOuterDisposeScope();
                Assert.True(inner.Contains(kept));
                Assert.True(outer.Contains(moved));
            }

            Assert.Same(outer, CurrentDisposeScope);
            Assert.True(kept.IsInvalid);
            Assert.False(moved.IsInvalid);
        }

        Assert.True(moved.IsInvalid);
        Assert.Null(CurrentDisposeScope);
    }

    [Fact]
    public void A_detached_tensor_outlives_all_scopes()
    {
        Tensor free;
        using (NewDisposeScope())
        {
            using (NewDisposeScope())
            {
                free = ones(2).DetachFromDisposeScope();
            }
        }

        Assert.Equal(2, free.sum().item<float>());
        free.Dispose();
    }

    [Fact]
    public void Moving_out_of_the_outermost_scope_detaches()
    {
        Tensor free;
        using (NewDisposeScope())
        {
            free = ones(2).MoveToOuterDisposeScope();
        }

        Assert.False(free.IsInvalid);
        free.Dispose();
    }

    [Fact]
    public void Tensors_join_the_scope_of_another_tensor()
    {
        using var outer = NewDisposeScope();
        var anchor = ones(1);
        Tensor follower;
        using (NewDisposeScope())
        {
            follower = ones(1).MoveToOtherDisposeScope(anchor);
        }

        Assert.False(follower.IsInvalid);
        Assert.True(outer.Contains(follower));
    }

    [Fact]
    public void Everything_but_the_chosen_goes_when_asked()
    {
        using var scope = NewDisposeScope();
        var a = ones(1);
        var b = ones(1);
        var c = scope.DisposeEverythingBut(b);
        Assert.Same(b, c);
        Assert.True(a.IsInvalid);
        Assert.Equal(1, scope.DisposablesCount);
        scope.Detach(b);
        Assert.Equal(0, scope.DisposablesCount);
        b.Dispose();
    }

    [Fact]
    public void A_wrapped_expression_leaves_only_its_result()
    {
        using var scope = NewDisposeScope();
        var x = ones(3);
        var y = WrappedTensorDisposeScope(() => (x + 1) * 2 - x);
        Assert.Equal(2, scope.DisposablesCount);
        Assert.Equal(9, y.sum().item<float>());
    }

    [Fact]
    public void Scopes_belong_to_their_thread()
    {
        using var scope = NewDisposeScope();
        Tensor? other = null;
        var thread = new Thread(() =>
        {
            Assert.Null(CurrentDisposeScope);
            other = ones(1);
        });
        thread.Start();
        thread.Join();
        Assert.False(scope.Contains(other!));
        scope.DisposeEverything();
        Assert.False(other!.IsInvalid);
        other.Dispose();
    }

    [Fact]
    public void A_parameter_takes_its_tensors_place_in_the_scope()
    {
        using var scope = NewDisposeScope();
        var data = ones(2);
        var parameter = new Modules.Parameter(data);
        Assert.True(data.IsInvalid);
        Assert.Equal(1, scope.DisposablesCount);
        Assert.True(scope.Contains(parameter));
    }

    [Fact]
    public void Statistics_balance_after_a_scope()
    {
        DisposeScopeManager.Statistics.Reset();
        using (NewDisposeScope())
        {
            var x = ones(3);
            var y = x + 1;
            y.Dispose();
            Assert.Equal(1, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }

        Assert.Equal(2, DisposeScopeManager.Statistics.CreatedInScopeCount);
        Assert.Equal(2, DisposeScopeManager.Statistics.DisposedInScopeCount);
        Assert.Equal(0, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Thousands_of_operators_leave_no_tensor_behind()
    {
        using var net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 1));
        using var optimizer = optim.Adam(net.parameters());
        Train(2);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;
        Train(300);
        Assert.Equal(before, Tensor.TotalCount);

        void Train(int steps)
        {
            for (var k = 0; k < steps; k++)
            {
                using var scope = NewDisposeScope();
                optimizer.zero_grad();
                var x = rand(16, 4);
                var parts = net.call(x).split(4);
                var loss = cat(parts).square().mean() + x[.., 1..3].max(1).values.sum();
                loss.backward();
                nn.utils.clip_grad_norm_(net.parameters(), 1);
                optimizer.step();
            }
        }
    }

    [Fact]
    public void Native_memory_is_freed_with_the_tensors()
    {
        Work(4);
        var before = Environment.WorkingSet;
        Work(300);
        Assert.True(Environment.WorkingSet - before < 300L << 20, $"grew by {(Environment.WorkingSet - before) >> 20} MiB");

        // 8 MiB a tensor, five of them a round: 12 GiB if nothing were freed.
        static void Work(int rounds)
        {
            for (var k = 0; k < rounds; k++)
            {
                using var scope = NewDisposeScope();
                var x = zeros(2 << 20).requires_grad_();
                var y = x.add(1);
                y.split(1 << 20)[0].sum().backward();
                _ = x.grad;
            }
        }
    }

    [Fact]
    public void Forgotten_tensors_are_freed_by_the_finalizer()
    {
        Collect();
        var before = Tensor.TotalCount;
        Forget();
        Assert.True(Tensor.TotalCount >= before + 50);
        Collect();
        Assert.True(Tensor.TotalCount <= before, $"{Tensor.TotalCount} tensors live, {before} before");

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Forget()
        {
            for (var k = 0; k < 50; k++)
            {
                _ = ones(3);
            }
        }

        static void Collect()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
