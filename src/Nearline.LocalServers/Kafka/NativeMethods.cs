using System.Reflection;
using System.Runtime.InteropServices;

namespace Nearline.LocalServers.Kafka;

/// <summary>librdkafka's C functions for the mock cluster (rdkafka.h, rdkafka_mock.h).</summary>
internal static unsafe partial class NativeMethods
{
    private const string Library = "librdkafka";

    internal const int ProducerType = 0;

    static NativeMethods() =>
        NativeLibrary.SetDllImportResolver(typeof(NativeMethods).Assembly, Resolve);

    /// <summary>
    /// The library that Confluent.Kafka itself would load (from its redist package, or beside the app), else the
    /// system's by its runtime name, which needs no development package.
    /// </summary>
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (!string.Equals(name, Library, StringComparison.Ordinal))
        {
            return 0;
        }

        var client = typeof(Confluent.Kafka.Library).Assembly;
        if (NativeLibrary.TryLoad(Library, client, searchPath: null, out var handle)
            || NativeLibrary.TryLoad("librdkafka.so.1", out handle)
            || NativeLibrary.TryLoad("alpine-librdkafka", client, searchPath: null, out handle))
        {
            return handle;
        }

        throw new DllNotFoundException(
            "librdkafka was not found, neither from the NuGet package librdkafka.redist beside the application nor on "
            + "the system. Install the Debian package librdkafka-dev (librdkafka1 serves the mock cluster alone; "
            + "Confluent.Kafka looks for the name librdkafka.so, which only librdkafka-dev has).");
    }

    [LibraryImport(Library)]
    internal static partial nint rd_kafka_conf_new();

    [LibraryImport(Library)]
    internal static partial void rd_kafka_conf_set_log_cb(
        nint conf, delegate* unmanaged[Cdecl]<nint, int, byte*, byte*, void> callback);

    [LibraryImport(Library)]
    internal static partial nint rd_kafka_new(int type, nint conf, byte* error, nuint errorSize);

    [LibraryImport(Library)]
    internal static partial void rd_kafka_conf_destroy(nint conf);

    [LibraryImport(Library)]
    internal static partial void rd_kafka_destroy(nint client);

    [LibraryImport(Library)]
    internal static partial nint rd_kafka_version_str();

    [LibraryImport(Library)]
    internal static partial nint rd_kafka_mock_cluster_new(nint client, int brokers);

    [LibraryImport(Library)]
    internal static partial void rd_kafka_mock_cluster_destroy(nint cluster);

    [LibraryImport(Library)]
    internal static partial nint rd_kafka_mock_cluster_bootstraps(nint cluster);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rd_kafka_mock_topic_create(nint cluster, string topic, int partitions, int replicas);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rd_kafka_mock_partition_set_leader(
        nint cluster, string topic, int partition, int broker);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rd_kafka_mock_coordinator_set(nint cluster, string keyType, string key, int broker);

    [LibraryImport(Library)]
    internal static partial int rd_kafka_mock_broker_set_down(nint cluster, int broker);

    [LibraryImport(Library)]
    internal static partial int rd_kafka_mock_broker_set_up(nint cluster, int broker);

    [LibraryImport(Library)]
    internal static partial int rd_kafka_mock_broker_set_rtt(nint cluster, int broker, int milliseconds);

    [LibraryImport(Library)]
    internal static partial void rd_kafka_mock_push_request_errors_array(
        nint cluster, short api, nuint count, int* errors);

    [LibraryImport(Library)]
    internal static partial void rd_kafka_mock_clear_request_errors(nint cluster, short api);
}
