using System.Collections.ObjectModel;
using Grpc.Core.Interceptors;

namespace Grpc.AspNetCore.Server;

/// <summary>Interceptors by their type, in the order in which they see a call.</summary>
public class InterceptorCollection : Collection<InterceptorRegistration>
{
    /// <summary>Arguments that are given come first in the constructor; the rest are resolved from the call's services.</summary>
    public void Add<TInterceptor>(params object[] args)
        where TInterceptor : Interceptor =>
        Add(typeof(TInterceptor), args);

    public void Add(Type interceptorType, params object[] args)
    {
        ArgumentNullException.ThrowIfNull(interceptorType);
        if (!interceptorType.IsSubclassOf(typeof(Interceptor)))
        {
            throw new ArgumentException($"Type must inherit from {typeof(Interceptor).FullName}.", nameof(interceptorType));
        }

        Add(new InterceptorRegistration(interceptorType, args));
    }
}

/// <summary>An interceptor's type with arguments of its constructor.</summary>
public class InterceptorRegistration
{
    private readonly object[] arguments;

    internal InterceptorRegistration(Type type, object[] arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] is null)
            {
                throw new ArgumentException("Interceptor contains null arguments. Null interceptor arguments are not supported.", nameof(arguments));
            }
        }

        Type = type;
        this.arguments = arguments;
        ActivatorType = typeof(IGrpcInterceptorActivator<>).MakeGenericType(type);
    }

    public Type Type { get; }

    public IReadOnlyList<object> Arguments => arguments;

    internal Type ActivatorType { get; }

    internal object[] ArgumentArray => arguments;
}
