using Nearline.Cli.Local;

namespace Nearline.Cli.Demo;

/// <summary>The metrics that must be there after a run, as dashboards and alerts count on them.</summary>
internal static class DemoMetrics
{
    public static IReadOnlyList<(string Service, string Address, string[] Names)> Expected(LocalStack stack) =>
    [
        ("worker", stack.WorkerAddress,
        [
            "nearline_worker_event_to_servable_duration_seconds_bucket",
            "nearline_worker_arrival_to_servable_duration_seconds_bucket",
            "nearline_worker_consumer_lag",
            "nearline_worker_batch_events_bucket",
            "nearline_worker_tower_duration_seconds_bucket",
            "nearline_worker_index_duration_seconds_bucket",
            "nearline_worker_redis_write_duration_seconds_bucket",
            "nearline_worker_events_total",
            "nearline_worker_sets_written_total",
            "nearline_worker_model_info",
            "messaging_client_consumed_messages_total",
        ]),
        ("api", stack.ApiAddress,
        [
            "rpc_server_call_duration_seconds_bucket",
            "nearline_api_answers_total",
            "nearline_api_set_age_seconds_bucket",
            "nearline_api_candidates_returned_bucket",
            "nearline_api_redis_duration_seconds_bucket",
        ]),
    ];
}
