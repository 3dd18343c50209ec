using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>Has no parameters, so there is nothing to move or register.</summary>
public interface IParameterLessModule
{
}

public abstract class ParameterLessModule<T, TResult> : nn.Module<T, TResult>, IParameterLessModule
{
    protected ParameterLessModule(string name)
        : base(name)
    {
    }

    protected internal override nn.Module _to(Device device, ScalarType dtype, bool non_blocking) => this;
    protected internal override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) => this;
    protected internal override nn.Module _to(ScalarType dtype, bool non_blocking) => this;
    public override void register_buffer(string name, Tensor tensor, bool persistent = true) => throw Refusal();
    public override void register_module(string name, nn.Module submodule) => throw Refusal();
    public override void register_parameter(string name, Parameter param) => throw Refusal();

    private static InvalidOperationException Refusal() => new("Cannot register anything on a parameterless module.");
}

public abstract class ParameterLessModule<T1, T2, TResult> : nn.Module<T1, T2, TResult>, IParameterLessModule
{
    protected ParameterLessModule(string name)
        : base(name)
    {
    }

    protected internal override nn.Module _to(Device device, ScalarType dtype, bool non_blocking) => this;
    protected internal override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) => this;
    protected internal override nn.Module _to(ScalarType dtype, bool non_blocking) => this;
    public override void register_buffer(string name, Tensor tensor, bool persistent = true) => throw Refusal();
    public override void register_module(string name, nn.Module submodule) => throw Refusal();
    public override void register_parameter(string name, Parameter param) => throw Refusal();

    private static InvalidOperationException Refusal() => new("Cannot register anything on a parameterless module.");
}
