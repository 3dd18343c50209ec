using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TorchSharp.Tests;

public class TensorTests
{
    [Fact]
    public void Shape_type_and_device_are_told()
    {
        using var scope = NewDisposeScope();
        var x = zeros([2, 3, 4], ScalarType.Float64);
        Assert.Equal([2, 3, 4], x.shape);
        Assert.Equal(3, x.ndim);
        Assert.Equal(24, x.numel());
        Assert.Equal(4, x.size(-1));
        Assert.Equal([12, 4, 1], x.stride());
        Assert.Equal(ScalarType.Float64, x.dtype);
        Assert.Equal(8, x.element_size());
        Assert.Equal(DeviceType.CPU, x.device.type);
        Assert.False(x.is_cuda);
        Assert.True(x.is_contiguous());
        Assert.False(x.transpose(0, 1).is_contiguous());
    }

    [Fact]
    public void Arrays_come_back_as_they_went_in()
    {
        using var scope = NewDisposeScope();
        var data = new float[,] { { 1, 2, 3 }, { 4, 5, 6 } };
        var x = tensor(data);
        Assert.Equal([2, 3], x.shape);
        Assert.Equal([1f, 2f, 3f, 4f, 5f, 6f], x.data<float>().ToArray());
        Assert.Equal(data, (float[,])x.data<float>().ToNDArray());
        Assert.Equal([1f, 4f, 2f, 5f, 3f, 6f], x.t().data<float>().ToArray());
        Assert.Equal(data, (float[,])from_array(data).data<float>().ToNDArray());
        Assert.Equal([1L, 2L], tensor(new List<long> { 1, 2 }).data<long>().ToArray());
        Assert.Equal([7, 8], tensor(new[] { 9, 7, 8 }.AsMemory(1), [2]).data<int>().ToArray());
    }

    [Fact]
    public void Tensors_copy_the_array_they_are_made_of()
    {
        using var scope = NewDisposeScope();
        var data = new[] { 1f, 2f };
        var x = tensor(data);
        data[0] = 9;
        Assert.Equal(1, x[0].item<float>());
    }

    [Fact]
    public void Accessors_read_and_write_in_place()
    {
        using var scope = NewDisposeScope();
        var x = arange(6, ScalarType.Float32).reshape(2, 3);
        var values = x.data<float>();
        Assert.Equal(5, values[1, 2]);
        values[0, 1] = 10;
        Assert.Equal(10, x[0, 1].item<float>());
        Assert.Equal(6, values.Count);
        var part = new float[2];
        values.CopyTo(part, 0, 4);
        Assert.Equal([4f, 5f], part);
        values.CopyFrom([7f, 8f], 0, 2);
        Assert.Equal([0f, 10f, 7f, 8f, 4f, 5f], values.ToArray());
        Assert.Equal(34, values.Sum());
    }

    [Fact]
    public void Reading_as_another_type_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.ThrowsAny<ArgumentException>(() => ones(2).data<double>());
        Assert.ThrowsAny<ArgumentException>(() => ones(1).item<long>());
        Assert.ThrowsAny<ArgumentException>(() => ones(2).item<float>());
    }

    [Fact]
    public void Items_convert_to_numbers()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(2.5f, tensor(2.5).ToSingle());
        Assert.Equal(2.5, tensor(2.5f).ToDouble());
        Assert.Equal(7, tensor(7L).ToInt32());
        Assert.Equal(7L, (long)tensor(7));
        Assert.True(tensor(true).ToBoolean());
        Assert.Equal(3.0, tensor(3).ToScalar().ToDouble());
        Assert.Equal(ScalarType.Float64, tensor(2.5).dtype);
        Assert.Equal(ScalarType.Float32, tensor(2.5f).dtype);
        Assert.Equal(ScalarType.Int32, tensor(1).dtype);
    }

    [Fact]
    public void Bytes_are_the_tensors_memory()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, -2f });
        Assert.Equal([1f, -2f], MemoryMarshal.Cast<byte, float>(x.bytes).ToArray());
        var stream = new MemoryStream();
        x.WriteBytesToStream(stream);
        Assert.Equal(8, stream.Length);
        stream.Position = 0;
        var y = empty(2);
        y.ReadBytesFromStream(stream);
        Assert.True(y.Equals(x));
        Assert.Throws<EndOfStreamException>(() => y.ReadBytesFromStream(stream));
        y.bytes = MemoryMarshal.AsBytes<float>(new[] { 3f, 4f }).ToArray();
        Assert.Equal(7, y.sum().item<float>());
        Assert.ThrowsAny<Exception>(() => ones(2, 2).t().bytes.Length);
    }

    [Fact]
    public void Views_share_memory_and_clones_do_not()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2, 3);
        x.view(6)[1] = 4;
        x[1].fill_(2);
        var copy = x.clone();
        copy.fill_(9);
        Assert.Equal([0f, 4f, 0f, 2f, 2f, 2f], x.data<float>().ToArray());
    }

    [Fact]
    public void In_place_methods_return_their_own_object()
    {
        using var scope = NewDisposeScope();
        var x = ones(2);
        Assert.Same(x, x.add_(1));
        Assert.Same(x, x.zero_());
        Assert.Same(x, x.copy_(ones(2)));
        Assert.Same(x, x.requires_grad_());
    }

    [Fact]
    public void Equality_compares_values_and_operators_compare_elements()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2f });
        Assert.True(x.Equals(tensor(new[] { 1f, 2f })));
        Assert.False(x.Equals(tensor(new[] { 1f, 3f })));
        Assert.Equal([true, false], (x == tensor(new[] { 1f, 3f })).data<bool>().ToArray());
        Assert.True(x.allclose(x + 1e-7));
    }

    [Fact]
    public void Errors_carry_libtorchs_message_without_its_stack()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ExternalException>(() => ones(2) + ones(3));
        Assert.Contains("The size of tensor a (2) must match the size of tensor b (3)", error.Message, StringComparison.Ordinal);
        Assert.Throws<ExternalException>(() => ones(2).reshape(3));
        Assert.Throws<ExternalException>(() => ones(2)[5]);
        Assert.Throws<ExternalException>(() => cat([ones(2), ones(2, 2)]));
        Assert.ThrowsAny<ArgumentException>(() => tensor(new[] { 1f, 2f, 3f }, [2, 2]));
    }

    [Fact]
    public void Default_type_and_device_follow_their_settings()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(ScalarType.Float32, get_default_dtype());
        set_default_dtype(ScalarType.Float64);
        try
        {
            Assert.Equal(ScalarType.Float64, zeros(1).dtype);
            Assert.Equal(ScalarType.Float64, nn.Linear(1, 1).weight.dtype);
        }
        finally
        {
            set_default_dtype(ScalarType.Float32);
        }

        Assert.Equal(DeviceType.CPU, get_default_device().type);
        Assert.Equal(DeviceType.CUDA, new Device("cuda:1").type);
        Assert.Equal(1, new Device("cuda:1").index);
        Assert.Equal("cpu", CPU.ToString());
        Assert.True(TryInitializeDeviceType(DeviceType.CPU));
        Assert.Equal(cuda.is_available(), TryInitializeDeviceType(DeviceType.CUDA));
        Assert.Equal(cuda.is_available() ? cuda.device_count() : 0, cuda.device_count());
    }

    [Fact]
    public void Seeds_and_saved_generator_states_repeat_the_numbers()
    {
        using var scope = NewDisposeScope();
        manual_seed(11);
        var first = rand(5);
        manual_seed(11);
        Assert.True(first.Equals(rand(5)));
        Assert.Equal(11, initial_seed());

        var state = get_rng_state();
        var next = randn(5);
        set_rng_state(state);
        Assert.True(next.Equals(randn(5)));

        using var mine = new Generator(3);
        using var same = new Generator(3);
        var drawn = rand(4, generator: mine);
        Assert.True(drawn.Equals(rand(4, generator: same)));
        Assert.True(randperm(9, generator: mine).Equals(randperm(9, generator: same)));
        mine.set_state(same.get_state());
        Assert.True(rand(4, generator: mine).Equals(rand(4, generator: same)));
    }

    [Fact]
    public void The_number_of_threads_can_be_set()
    {
        var before = get_num_threads();
        set_num_threads(1);
        Assert.Equal(1, get_num_threads());
        set_num_threads(before);
        Assert.True(get_num_interop_threads() > 0);
    }

    [Fact]
    public void Text_tells_shape_and_type()
    {
        using var scope = NewDisposeScope();
        Assert.Equal("[2x3], type = Float32, device = cpu", zeros(2, 3).ToString());
        Assert.Contains("1.5", tensor(new[] { 1.5f, 2f }).str(), StringComparison.Ordinal);
    }

    [Fact]
    public void Long_lists_of_tensors_and_sizes_reach_the_operator()
    {
        using var scope = NewDisposeScope();
        var many = Enumerable.Range(0, 500).Select(static k => full(2, (float)k)).ToArray();
        Assert.Equal(500 * 499f, cat(many).sum().item<float>());
        Assert.Equal(300, ones(300).split(Enumerable.Repeat(1L, 300).ToArray(), 0L).Length);
    }
}
