using System.CommandLine;
using Nearline.Cli.Modelling;
using Nearline.Model;
using Nearline.Model.Index;

namespace Nearline.Cli.Commands;

/// <summary>Options that several commands share, each with one name and one meaning.</summary>
internal static class CommonOptions
{
    /// <summary>Where the data is.</summary>
    public static Option<string> Data(bool required = true) => new("--data")
    {
        Description = "directory with Nearline's own data files, ml-100k.* or an Amazon 5-core set",
        Required = required,
    };

    /// <summary>Which data set, where a directory holds several.</summary>
    public static Option<string?> Dataset() => new("--dataset")
    {
        Description = "which data set, where the directory holds several, such as ml-100k or Beauty",
    };

    /// <summary>Where bundles are.</summary>
    public static Option<string> Models() => new("--models")
    {
        Description = "directory of model bundles",
        DefaultValueFactory = _ => "runs/models",
    };

    /// <summary>A content graph.</summary>
    public static Option<string?> Graph(string description) => new("--graph")
    {
        Description = description,
        HelpName = "folder",
    };

    /// <summary>Where to compute.</summary>
    public static Option<string> Device()
    {
        var option = new Option<string>("--device")
        {
            Description = "auto, cpu or cuda",
            DefaultValueFactory = _ => "auto",
        };
        option.AcceptOnlyFromAmong("auto", "cpu", "cuda");
        return option;
    }

    /// <summary>What searches the model's shows.</summary>
    public static Option<string> Backend()
    {
        var option = new Option<string>("--backend")
        {
            Description = $"what searches the model's shows: {string.Join(", ", IndexBackends.Names)}",
            DefaultValueFactory = _ => IndexBackends.Auto,
        };
        option.AcceptOnlyFromAmong([.. IndexBackends.Names]);
        return option;
    }

    /// <summary>In what the tower's large products run.</summary>
    public static Option<ServingPrecision> Precision() => new("--precision")
    {
        Description = "of the tower's large products: float32, as trained, or bfloat16",
    };

    /// <summary>How the data is split into what trains and what is predicted.</summary>
    public static Option<string> Protocol()
    {
        var option = new Option<string>("--protocol")
        {
            Description = "leave-one-out (each user's last watch is the test), last-day (the last day is) or cold-start (last watches of shows that training did not know are)",
            DefaultValueFactory = _ => Protocols.Names[0],
        };
        option.AcceptOnlyFromAmong(Protocols.Names);
        return option;
    }

    /// <summary>Kafka.</summary>
    public static Option<string> Bootstrap() => new("--bootstrap")
    {
        Description = "Kafka bootstrap servers, host:port",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("NEARLINE_KAFKA") ?? "127.0.0.1:9092",
    };

    /// <summary>Redis.</summary>
    public static Option<string> Redis() => new("--redis")
    {
        Description = "Redis, host:port, or any configuration string of StackExchange.Redis",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("NEARLINE_REDIS") ?? "127.0.0.1:6379",
    };

    /// <summary>The api's gRPC address.</summary>
    public static Option<string> Api() => new("--api")
    {
        Description = $"the api's gRPC address; its key, where it asks for one, in {ApiChannel.KeyVariable}",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("NEARLINE_API") ?? "http://127.0.0.1:5001",
    };
}
