using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection;
using Grpc.Reflection.V1;
using Grpc.Tests.Proto;
using Grpc.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Alpha = Grpc.Reflection.V1Alpha;

namespace Grpc.Tests;

/// <summary>Server reflection.</summary>
public sealed class ReflectionTests
{
    [Fact]
    public async Task Lists_the_services_that_are_mapped()
    {
        await using var server = await StartAsync();
        var response = await AskAsync(server, new ServerReflectionRequest { ListServices = "" });
        var names = response.ListServicesResponse.Service.Select(s => s.Name).ToArray();
        Assert.Contains("nearline.grpc.tests.Probe", names);
        Assert.Contains("nearline.grpc.tests.Limited", names);
        Assert.Contains("grpc.reflection.v1.ServerReflection", names);
        Assert.Contains("grpc.reflection.v1alpha.ServerReflection", names);

        using var call = new Alpha.ServerReflection.ServerReflectionClient(server.Channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new Alpha.ServerReflectionRequest { ListServices = "" });
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.Equal(names, call.ResponseStream.Current.ListServicesResponse.Service.Select(s => s.Name));
    }

    [Theory]
    [InlineData("nearline.grpc.tests.Probe")]
    [InlineData("nearline.grpc.tests.Probe.Unary")]
    [InlineData("nearline.grpc.tests.ProbeRequest")]
    public async Task Finds_the_file_of_a_symbol_with_its_dependencies(string symbol)
    {
        await using var server = await StartAsync();
        var response = await AskAsync(server, new ServerReflectionRequest { FileContainingSymbol = symbol });
        var files = response.FileDescriptorResponse.FileDescriptorProto.Select(b => FileDescriptorProto.Parser.ParseFrom(b).Name);
        Assert.Equal(
            new[] { SharedReflection.Descriptor.Name, TestReflection.Descriptor.Name }.Order(StringComparer.Ordinal),
            files.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Finds_a_file_by_its_name()
    {
        await using var server = await StartAsync();
        var response = await AskAsync(server, new ServerReflectionRequest { FileByFilename = SharedReflection.Descriptor.Name });
        Assert.Equal(SharedReflection.Descriptor.SerializedData, Assert.Single(response.FileDescriptorResponse.FileDescriptorProto));
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        await using var server = await StartAsync();
        foreach (var request in new[]
        {
            new ServerReflectionRequest { FileByFilename = "no.proto" },
            new ServerReflectionRequest { FileContainingSymbol = "no.Symbol" },
        })
        {
            Assert.Equal((int)StatusCode.NotFound, (await AskAsync(server, request)).ErrorResponse.ErrorCode);
        }
    }

    [Fact]
    public async Task Extension_queries_are_answered_by_an_error()
    {
        await using var server = await StartAsync();
        foreach (var request in new[]
        {
            new ServerReflectionRequest { AllExtensionNumbersOfType = "nearline.grpc.tests.ProbeRequest" },
            new ServerReflectionRequest
            {
                FileContainingExtension = new ExtensionRequest { ContainingType = "nearline.grpc.tests.ProbeRequest", ExtensionNumber = 100 },
            },
        })
        {
            Assert.Equal((int)StatusCode.Unimplemented, (await AskAsync(server, request)).ErrorResponse.ErrorCode);
        }
    }

    [Fact]
    public void Registry_finds_files_by_name_and_symbol()
    {
        var registry = SymbolRegistry.FromFiles([TestReflection.Descriptor]);
        Assert.Same(TestReflection.Descriptor, registry.FileByName(TestReflection.Descriptor.Name));
        Assert.Same(SharedReflection.Descriptor, registry.FileByName(SharedReflection.Descriptor.Name));
        Assert.Same(SharedReflection.Descriptor, registry.FileContainingSymbol("nearline.grpc.tests.shared.Colour"));
        Assert.Null(registry.FileByName("no.proto"));
        Assert.Null(registry.FileContainingSymbol("no.Symbol"));
    }

    private static Task<TestServer> StartAsync() =>
        TestServer.StartAsync(services: s => s.AddGrpcReflection(), map: app => app.MapGrpcReflectionService());

    private static async Task<ServerReflectionResponse> AskAsync(TestServer server, ServerReflectionRequest request)
    {
        using var call = new ServerReflection.ServerReflectionClient(server.Channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(request);
        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext(default));
        var response = call.ResponseStream.Current;
        Assert.False(await call.ResponseStream.MoveNext(default));
        return response;
    }
}
