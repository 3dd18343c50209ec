using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Nearline.Api.Security;
using Nearline.Api.Serving;
using Nearline.Contracts.Admin.V1;
using Nearline.Model.Bundles;

namespace Nearline.Api.Admin;

/// <summary>
/// The gRPC face of operation: validation, and a line in the log for each call. Not counted among candidates' calls: what is
/// shed under load must not be what ends it.
/// </summary>
internal sealed partial class AdminApi(
    ModelAdministration models, UserAdministration users, WorkerInspector worker, ClientRegistry clients, ILogger<AdminApi> logger)
    : AdminService.AdminServiceBase
{
    public override Task<ListModelsResponse> ListModels(ListModelsRequest request, ServerCallContext context) =>
        RunAsync(context, "", () => models.ListAsync(context.CancellationToken));

    public override Task<ActivateModelResponse> ActivateModel(ActivateModelRequest request, ServerCallContext context) =>
        RunAsync(context, request.Version, () =>
        {
            Check(BundleVersion.IsName(request.Version)
                ? null
                : $"version is '{RequestValidator.Shown(request.Version)}'; it must be a bundle's, as ListModels names it");
            return models.ActivateAsync(request.Version, context.CancellationToken);
        });

    public override Task<RollbackModelResponse> RollbackModel(RollbackModelRequest request, ServerCallContext context) =>
        RunAsync(context, "", () => models.RollbackAsync(context.CancellationToken));

    public override Task<RefreshUserResponse> RefreshUser(RefreshUserRequest request, ServerCallContext context) =>
        RunAsync(context, request.UserId, async () =>
        {
            Check(RequestValidator.UserProblem(request.UserId));
            var at = await users.RefreshAsync(request.UserId, context.CancellationToken);
            return new RefreshUserResponse { RequestedAt = Timestamp.FromDateTimeOffset(at) };
        });

    public override Task<DeleteUserResponse> DeleteUser(DeleteUserRequest request, ServerCallContext context) =>
        RunAsync(context, request.UserId, async () =>
        {
            Check(RequestValidator.UserProblem(request.UserId));
            var at = await users.DeleteAsync(request.UserId, context.CancellationToken);
            return new DeleteUserResponse { DeletedAt = Timestamp.FromDateTimeOffset(at) };
        });

    public override Task<GetIndexInfoResponse> GetIndexInfo(GetIndexInfoRequest request, ServerCallContext context) =>
        RunAsync(context, "", async () =>
        {
            try
            {
                var indexes = await worker.IndexesAsync(context.Deadline, context.CancellationToken);
                var response = new GetIndexInfoResponse { Indexes = { indexes } };
                if (indexes is [var active, ..])
                {
                    response.ModelVersion = active.ModelVersion;
                    response.Backend = active.Backend;
                    response.ItemCount = active.ItemCount;
                    response.Dimension = active.Dimension;
                    response.MemoryBytes = active.MemoryBytes;
                }

                return response;
            }
            catch (WorkerTroubleException trouble)
            {
                throw new RpcException(new Status(trouble.Code, trouble.Message, trouble));
            }
        });

    private static void Check(string? problem)
    {
        if (problem is not null)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, problem));
        }
    }

    private async Task<T> RunAsync<T>(ServerCallContext context, string what, Func<Task<T>> work)
    {
        var who = clients.Current.Identify(context.GetHttpContext())?.Name is { Length: > 0 } name ? name : context.Peer;
        var method = context.Method[(context.Method.LastIndexOf('/') + 1)..];
        try
        {
            var response = await work();
            LogDone(who, method, RequestValidator.Shown(what));
            return response;
        }
        catch (Exception e)
        {
            LogNotDone(who, method, RequestValidator.Shown(what), e is RpcException rpc ? $"{rpc.StatusCode}: {rpc.Status.Detail}" : e.Message);
            throw;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "admin: {Who}: {Method} '{What}': done")]
    private partial void LogDone(string who, string method, string what);

    [LoggerMessage(Level = LogLevel.Warning, Message = "admin: {Who}: {Method} '{What}': not done: {Problem}")]
    private partial void LogNotDone(string who, string method, string what, string problem);
}
