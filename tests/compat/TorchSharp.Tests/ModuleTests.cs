using System.Runtime.InteropServices;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp.Tests;

public class ModuleTests
{
    [Fact]
    public void Components_register_under_their_fields_names_in_order()
    {
        using var net = new Net();
        Assert.Equal(
            ["scale", "first.weight", "first.bias", "blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "blocks.1.bias", "named.a.weight", "tail.0.weight", "tail.0.bias", "tail.2.weight", "tail.2.bias", "second.weight"],
            net.named_parameters().Select(static p => p.name));
        Assert.Equal(["steps"], net.named_buffers().Select(static b => b.name));
        Assert.Equal(["first", "blocks", "named", "tail", "second"], net.named_children().Select(static c => c.name));
        Assert.Equal([.. net.named_parameters().Select(static p => p.name), "steps"], net.state_dict().Keys);
        Assert.True(net.has_parameter("blocks.1.bias"));
        Assert.False(net.has_parameter("blocks.2.bias"));
        Assert.Same(net.parameters().ElementAt(1), net.get_parameter("first.weight"));
        Assert.NotNull(net.get_buffer("steps"));
    }

    [Fact]
    public void Modules_are_listed_level_by_level()
    {
        using var net = new Net();
        Assert.Equal(
            ["first", "blocks", "named", "tail", "second", "blocks.0", "blocks.1", "named.a", "tail.0", "tail.1", "tail.2"],
            net.named_modules().Select(static m => m.name));
    }

    [Fact]
    public void Train_and_eval_reach_every_part()
    {
        using var net = new Net();
        Assert.True(net.training);
        net.eval();
        Assert.All(net.modules(), static m => Assert.False(m.training));
        net.train();
        Assert.All(net.modules(), static m => Assert.True(m.training));
    }

    [Fact]
    public void Dropout_acts_in_training_only()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        var dropout = nn.Dropout(0.5);
        var x = ones(1000);
        var trained = dropout.call(x);
        Assert.InRange(trained.eq(0).sum().item<long>(), 400, 600);
        Assert.Equal(2, trained.max().item<float>());
        dropout.eval();
        Assert.True(dropout.call(x).Equals(x));
    }

    [Fact]
    public void A_state_dict_moves_weights_from_one_net_to_another()
    {
        using var scope = NewDisposeScope();
        using var a = new Net();
        using var b = new Net();
        Assert.False(a.call(ones(2, 4)).allclose(b.call(ones(2, 4))));
        var (missing, unexpected) = b.load_state_dict(a.state_dict());
        Assert.Empty(missing);
        Assert.Empty(unexpected);
        Assert.True(a.call(ones(2, 4)).Equals(b.call(ones(2, 4))));
    }

    [Fact]
    public void A_state_dict_with_other_names_is_refused_unless_lax()
    {
        using var scope = NewDisposeScope();
        using var net = new Net();
        var state = net.state_dict();
        state.Remove("scale");
        state["extra"] = ones(1);
        Assert.Throws<InvalidOperationException>(() => net.load_state_dict(state));
        var (missing, unexpected) = net.load_state_dict(state, strict: false);
        Assert.Equal(["scale"], missing);
        Assert.Equal(["extra"], unexpected);
    }

    [Fact]
    public void Saved_weights_load_byte_for_byte()
    {
        using var scope = NewDisposeScope();
        using var a = new Net();
        using var b = new Net();
        var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            a.save(writer);
        }

        stream.Position = 0;
        b.load(new BinaryReader(stream));
        Assert.All(a.state_dict(), p => Assert.True(p.Value.Equals(b.state_dict()[p.Key])));
    }

    [Fact]
    public void Conversion_replaces_parameters_where_they_are_held()
    {
        using var scope = NewDisposeScope();
        using var net = new Net();
        net.to(ScalarType.Float64);
        Assert.All(net.parameters(), static p => Assert.Equal(ScalarType.Float64, p.dtype));
        Assert.Equal(ScalarType.Int64, net.get_buffer("steps")!.dtype);
        Assert.Equal(ScalarType.Float64, net.call(ones(2, 4, ScalarType.Float64)).dtype);
        Assert.All(net.parameters(), static p => Assert.True(p.requires_grad && p.is_leaf));
    }

    [Fact]
    public void Parameters_survive_the_scope_that_a_layer_was_made_in_and_go_with_the_layer()
    {
        Linear linear;
        using (NewDisposeScope())
        {
            linear = nn.Linear(2, 3);
        }

        var weight = linear.weight;
        Assert.False(weight.IsInvalid);
        linear.Dispose();
        Assert.True(weight.IsInvalid);
    }

    [Fact]
    public void Disposing_a_module_disposes_its_parts()
    {
        var net = new Net();
        var all = net.parameters().Cast<Tensor>().Concat(net.buffers()).ToArray();
        net.Dispose();
        Assert.All(all, static t => Assert.True(t.IsInvalid));
        net.Dispose();
    }

    [Fact]
    public void Zero_grad_clears_all_gradients()
    {
        using var scope = NewDisposeScope();
        using var net = new Net();
        net.call(ones(2, 4)).sum().backward();
        Assert.NotNull(net.get_parameter("first.weight")!.grad);
        net.zero_grad();
        Assert.All(net.parameters(), static p => Assert.Null(p.grad));
    }

    [Fact]
    public void Hooks_see_and_change_calls()
    {
        using var scope = NewDisposeScope();
        using var identity = nn.Identity();
        var before = identity.register_forward_pre_hook(static (_, x) => x + 1);
        var after = identity.register_forward_hook(static (_, _, y) => y * 10);
        Assert.Equal(20, identity.call(ones(1)).item<float>());
        before.remove();
        after.remove();
        Assert.Equal(1, identity.call(ones(1)).item<float>());
    }

    [Fact]
    public void Apply_visits_children_before_their_parent()
    {
        using var net = new Net();
        var order = new List<string>();
        net.apply(m => order.Add(m.GetName()));
        Assert.Equal("Net", order[^1]);
        Assert.Equal(12, order.Count);
    }

    [Fact]
    public void Wrong_names_and_double_registration_are_refused()
    {
        using var scope = NewDisposeScope();
        using var net = new Net();
        Assert.Throws<ArgumentException>(() => net.register_module("a.b", nn.Identity()));
        Assert.Throws<InvalidOperationException>(() => net.register_parameter("scale", new Parameter(ones(1))));
        Assert.Throws<InvalidOperationException>(() => net.register_buffer("steps", ones(1)));
        Assert.ThrowsAny<ArgumentException>(() => net.register_buffer("none", null!));
    }

    [Fact]
    public void Shapes_that_do_not_fit_raise_libtorchs_own_message()
    {
        using var scope = NewDisposeScope();
        using var linear = nn.Linear(4, 2);
        var error = Assert.Throws<ExternalException>(() => linear.call(ones(3, 5)));
        Assert.Contains("mat1 and mat2 shapes cannot be multiplied (3x5 and 4x2)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attention_by_hand_and_by_function_agree_and_carry_gradients()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var q = randn(2, 5, 8).requires_grad_();
        var mask = ones(5, 5, ScalarType.Bool).tril();
        var masked = nn.functional.scaled_dot_product_attention(q, q, q, mask);
        var causal = nn.functional.scaled_dot_product_attention(q, q, q, is_casual: true);
        Assert.True(masked.allclose(causal));
        masked.sum().backward();
        Assert.True(q.grad!.isfinite().all().item<bool>());
    }

    private sealed class Net : nn.Module<Tensor, Tensor>
    {
        private readonly Parameter scale = new(ones(4));
        private readonly Tensor steps = zeros(1, ScalarType.Int64);
        private readonly Linear first = nn.Linear(4, 4);
        private readonly ModuleList<Linear> blocks = nn.ModuleList(nn.Linear(4, 4), nn.Linear(4, 4));
        private readonly ModuleDict<nn.Module<Tensor, Tensor>> named = nn.ModuleDict<nn.Module<Tensor, Tensor>>(("a", nn.Linear(4, 4, hasBias: false)));
        private readonly Sequential tail = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.LayerNorm(4));
        [ComponentName(Name = "second")]
        private readonly Linear other = nn.Linear(4, 2, hasBias: false);

        internal Net()
            : base("Net") => RegisterComponents();

        public override Tensor forward(Tensor input)
        {
            var x = first.call(input * scale);
            foreach (var block in blocks)
            {
                x = block.call(x);
            }

            return other.call(tail.call(named["a"].call(x)));
        }
    }
}
