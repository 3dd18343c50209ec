namespace Grpc.Core;

/// <summary>The methods of a service with their handlers.</summary>
public class ServerServiceDefinition
{
    private readonly Action<ServiceBinderBase>[] bindings;

    private ServerServiceDefinition(Action<ServiceBinderBase>[] bindings) => this.bindings = bindings;

    public static Builder CreateBuilder() => new();

    /// <summary>Adds every method to the binder, in the order in which they were added here.</summary>
    public void BindService(ServiceBinderBase serviceBinder)
    {
        foreach (var bind in bindings)
        {
            bind(serviceBinder);
        }
    }

    /// <summary>Collects methods; a full name can be added once.</summary>
    public class Builder
    {
        private readonly Dictionary<string, IMethod> seen = new(StringComparer.Ordinal);
        private readonly List<Action<ServiceBinderBase>> bindings = [];

        public Builder()
        {
        }

        public Builder AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse> handler)
            where TRequest : class
            where TResponse : class =>
            Add(method, binder => binder.AddMethod(method, handler));

        public Builder AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse> handler)
            where TRequest : class
            where TResponse : class =>
            Add(method, binder => binder.AddMethod(method, handler));

        public Builder AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse> handler)
            where TRequest : class
            where TResponse : class =>
            Add(method, binder => binder.AddMethod(method, handler));

        public Builder AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse> handler)
            where TRequest : class
            where TResponse : class =>
            Add(method, binder => binder.AddMethod(method, handler));

        public ServerServiceDefinition Build() => new([.. bindings]);

        private Builder Add(IMethod method, Action<ServiceBinderBase> bind)
        {
            seen.Add(method.FullName, method);
            bindings.Add(bind);
            return this;
        }
    }
}
